"""Writing vectors: the models, their vectors by content hash, and the texts whose vector is pending.

Rows are always written in the order of their key, model after model, and vectors before pending texts before documents:
two writers of the same texts wait for each other and never in a circle. Only vectors that are dropped are locked last;
should that close a circle, Postgres ends one of the two, which tries again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from pgvector import HalfVector
from psycopg import Connection, sql

Vector = npt.NDArray[np.float32]

Texts = Literal["documents", "pages"]
"""The table whose texts a vector is of; both have `text` and `content_hash`."""


@dataclass(frozen=True)
class VectorTable:
    """Where a model's vectors of the texts of documents, or of pages, are kept."""

    model_id: str
    name: str
    texts: Texts = "documents"

    @property
    def index_name(self) -> str:
        """Its vector index, as the migrations call it."""
        return f"{self.name}_hnsw"


def add_embedding_model(connection: Connection, model_id: str, dimensions: int) -> VectorTable:
    """Register a model, the first one as the active one, and make its table. Does nothing the second time."""
    rows = connection.execute("SELECT add_embedding_model(%s, %s, 'active')", (model_id, dimensions)).fetchall()
    return VectorTable(model_id, rows[0][0])


def embedded(connection: Connection, table: VectorTable, content_hashes: Collection[str]) -> set[str]:
    """Which of these have a vector already."""
    query = sql.SQL("SELECT content_hash FROM {} WHERE content_hash = ANY(%s)").format(sql.Identifier(table.name))
    return {row[0] for row in connection.execute(query, (list(content_hashes),))}


def stage(connection: Connection) -> None:
    """Make this connection's staging table. Once, before put_vectors."""
    connection.execute("CREATE TEMP TABLE staged_vectors (content_hash text, embedding halfvec) ON COMMIT DELETE ROWS")


def put_vectors(connection: Connection, table: VectorTable, vectors: Mapping[str, Vector]) -> set[str]:
    """Store vectors by content hash, leave those that are there, and take their texts off the pending ones.

    Within the caller's transaction. Returns those that were not there.
    """
    with connection.cursor().copy("COPY staged_vectors FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["text", "halfvec"])
        for content_hash, vector in vectors.items():
            copy.write_row((content_hash, HalfVector(vector)))
    inserted = connection.execute(_INSERT.format(table=sql.Identifier(table.name))).fetchall()
    connection.execute(_NO_LONGER_PENDING, (table.model_id, table.texts, list(vectors)))
    return {row[0] for row in inserted}


def hold(connection: Connection, table: VectorTable, content_hashes: Collection[str]) -> set[str]:
    """Which of these have a vector: until the caller's transaction ends, nobody drops it."""
    query = _HOLD.format(table=sql.Identifier(table.name))
    return {row[0] for row in connection.execute(query, (list(content_hashes),))}


def drop_unused(connection: Connection, table: VectorTable, content_hashes: Collection[str]) -> None:
    """Drop those vectors whose text no document has any more. Within the caller's transaction.

    They are locked first: whoever is storing a document of the same text has ended by then, and the statement after
    that sees it.
    """
    hashes = (list(content_hashes),)
    connection.execute(_LOCK.format(table=sql.Identifier(table.name)), hashes)
    connection.execute(_DROP_UNUSED.format(table=sql.Identifier(table.name)), hashes)


def put_pending(
    connection: Connection, model_id: str, texts: Mapping[str, str], error: str, of: Texts = "documents"
) -> None:
    """Note texts, by content hash, that have no vector yet, and why. Those noted before stay as they are."""
    rows = sorted(texts.items())
    connection.execute(
        "INSERT INTO pending_embeddings (content_hash, model_id, texts, text, error)"
        " SELECT hash, %s, %s, text, %s FROM unnest(%s::text[], %s::text[]) AS new (hash, text)"
        " ON CONFLICT DO NOTHING",
        (model_id, of, error, [row[0] for row in rows], [row[1] for row in rows]),
    )


def claim_pending(connection: Connection, table: VectorTable, limit: int) -> dict[str, str]:
    """Up to `limit` pending texts that are due, by content hash. Nobody else gets them until their next time."""
    given = {"model": table.model_id, "texts": table.texts, "limit": limit}
    return dict(connection.execute(_CLAIM, given).fetchall())


def note_failure(connection: Connection, table: VectorTable, content_hashes: Collection[str], error: str) -> None:
    """Keep why these still have no vector."""
    connection.execute(
        "UPDATE pending_embeddings SET error = %s WHERE model_id = %s AND texts = %s AND content_hash = ANY(%s)",
        (error, table.model_id, table.texts, list(content_hashes)),
    )


def count_pending(connection: Connection, model_id: str, texts: Texts = "documents") -> int:
    """How many texts wait for their vector."""
    statement = "SELECT count(*) FROM pending_embeddings WHERE model_id = %s AND texts = %s"
    return int(connection.execute(statement, (model_id, texts)).fetchall()[0][0])


# Nothing stays staged: the next model's vectors of the same transaction come there.
_INSERT: Final = sql.SQL(
    "WITH staged AS (DELETE FROM staged_vectors RETURNING content_hash, embedding)"
    " INSERT INTO {table} (content_hash, embedding) SELECT content_hash, embedding FROM staged"
    " ORDER BY content_hash ON CONFLICT (content_hash) DO NOTHING RETURNING content_hash"
)

_HOLD: Final = sql.SQL(
    "SELECT content_hash FROM {table} WHERE content_hash = ANY(%s) ORDER BY content_hash FOR KEY SHARE"
)

_LOCK: Final = sql.SQL("SELECT FROM {table} WHERE content_hash = ANY(%s) ORDER BY content_hash FOR UPDATE")

_DROP_UNUSED: Final = sql.SQL(
    "DELETE FROM {table} e WHERE content_hash = ANY(%s)"
    " AND NOT EXISTS (SELECT FROM documents d WHERE d.content_hash = e.content_hash)"
)

_NO_LONGER_PENDING: Final = """
WITH done AS MATERIALIZED (
    SELECT content_hash, model_id, texts FROM pending_embeddings
    WHERE model_id = %s AND texts = %s AND content_hash = ANY(%s) ORDER BY content_hash FOR UPDATE
)
DELETE FROM pending_embeddings p USING done
WHERE (p.content_hash, p.model_id, p.texts) = (done.content_hash, done.model_id, done.texts)"""

# 2, 4, 8 ... seconds after the first, second, third attempt, at most an hour.
_CLAIM: Final = """
WITH due AS MATERIALIZED (
    SELECT content_hash, model_id, texts FROM pending_embeddings
    WHERE model_id = %(model)s AND texts = %(texts)s AND retry_at <= now()
    ORDER BY retry_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE pending_embeddings p
SET attempts = attempts + 1, retry_at = now() + least(interval '2 seconds' * 2 ^ least(attempts, 20), interval '1 hour')
FROM due WHERE (p.content_hash, p.model_id, p.texts) = (due.content_hash, due.model_id, due.texts)
RETURNING p.content_hash, p.text"""
