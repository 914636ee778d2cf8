"""The nearest texts of a text by one model or another, by the vector index or by comparing all."""

from typing import Final, NamedTuple

from psycopg import Connection, sql

from freshet.store.embeddings import VectorTable
from freshet.store.search import EF_SEARCH

Nearest = list[tuple[str, float]]
"""Content hashes with their cosine distances, the nearest first."""


class Sampled(NamedTuple):
    """A text that has vectors by two models, as text."""

    content_hash: str
    new: str
    old: str


def sample(connection: Connection, new: VectorTable, old: VectorTable, count: int) -> list[Sampled]:
    """Texts with both vectors, the same ones each time: hashes are as good as drawn by lot."""
    statement = _SAMPLE.format(new=sql.Identifier(new.name), old=sql.Identifier(old.name))
    return [Sampled(*row) for row in connection.execute(statement, (count,))]


def exact(connection: Connection, table: VectorTable, content_hash: str, vector: str, limit: int) -> Nearest:
    """The nearest other texts, every vector compared."""
    with connection.transaction():
        connection.execute("SET LOCAL enable_indexscan = off")
        return _nearest(connection, table, content_hash, vector, limit)


def indexed(connection: Connection, table: VectorTable, content_hash: str, vector: str, limit: int) -> Nearest:
    """The nearest other texts that the vector index finds, with the care that searches take."""
    with connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        connection.execute(sql.SQL("SET LOCAL hnsw.ef_search = {}").format(EF_SEARCH))
        return _nearest(connection, table, content_hash, vector, limit)


def _nearest(connection: Connection, table: VectorTable, content_hash: str, vector: str, limit: int) -> Nearest:
    given = {"vector": vector, "itself": content_hash, "limit": limit}
    return connection.execute(_NEAREST.format(table=sql.Identifier(table.name)), given).fetchall()


_SAMPLE: Final = sql.SQL(
    "SELECT content_hash, n.embedding::text, o.embedding::text FROM {new} n JOIN {old} o USING (content_hash)"
    " ORDER BY content_hash LIMIT %s"
)
_NEAREST: Final = sql.SQL(
    "SELECT content_hash, embedding <=> %(vector)s::halfvec FROM {table} WHERE content_hash <> %(itself)s"
    " ORDER BY embedding <=> %(vector)s::halfvec LIMIT %(limit)s"
)
