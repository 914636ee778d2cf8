"""Many documents with their vectors at once: out of a store, and into one whose vector index is made afterwards."""

from collections.abc import Iterable, Iterator
from typing import Final

from pgvector import HalfVector
from psycopg import Connection, sql
from psycopg.rows import dict_row

from freshet.store.embeddings import Vector, VectorTable
from freshet.store.repository import COLUMNS, Document

# Built with less memory than the graph takes, the index costs six times as long.
INDEX_MEMORY: Final = "1GB"


def dump(connection: Connection, table: VectorTable) -> Iterator[tuple[Document, Vector]]:
    """Every document that has a vector, with it, in the order of their events; also their `searchable_at`."""
    query = _DUMP.format(columns=_listed((*COLUMNS, "searchable_at")), table=sql.Identifier(table.name))
    with connection.transaction(), connection.cursor(name="dump", row_factory=dict_row) as cursor:
        cursor.execute(query)
        for row in cursor:
            vector = row.pop("embedding")
            yield row, vector.to_numpy()


def load(connection: Connection, table: VectorTable, rows: Iterable[tuple[Document, Vector]]) -> int:
    """Copy documents, each with its `searchable_at`, and their vectors into an empty store. Returns how many there are.

    The vector index is dropped before and made after, which is a hundred times as fast as adding to it.
    """
    connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(f"{table.name}_hnsw")))
    vectors: dict[str, Vector] = {}
    columns = (*COLUMNS, "searchable_at")
    total = 0
    with (
        connection.transaction(),
        connection.cursor().copy(sql.SQL("COPY documents ({}) FROM STDIN").format(_listed(columns))) as copy,
    ):
        for document, vector in rows:
            copy.write_row([document[name] for name in columns])
            vectors[document["content_hash"]] = vector
            total += 1
    into = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table.name))
    with connection.transaction(), connection.cursor().copy(into) as copy:
        copy.set_types(["text", "halfvec"])
        for content_hash, vector in vectors.items():
            copy.write_row((content_hash, HalfVector(vector)))
    connection.execute("INSERT INTO lexemes SELECT DISTINCT lexemes_of(language, words) FROM documents")
    connection.execute(sql.SQL("SET maintenance_work_mem = {}").format(INDEX_MEMORY))
    connection.execute("SELECT add_vector_index(%s)", (table.name,))
    connection.execute("VACUUM ANALYZE")
    return total


def load_pages(connection: Connection, table: VectorTable, page_table: VectorTable) -> int:
    """Have something known of every page of the documents, with the vector of one of its edits: for measurements, where
    it matters how many there are and not what they say. Returns how many there are."""
    index = sql.Identifier(f"{page_table.name}_hnsw")
    connection.execute(sql.SQL("DROP INDEX {}").format(index))
    made = connection.execute(_PAGES).rowcount
    given = {"table": sql.Identifier(table.name), "page_table": sql.Identifier(page_table.name)}
    connection.execute(_PAGE_VECTORS.format(**given))
    connection.execute(sql.SQL("SET maintenance_work_mem = {}").format(INDEX_MEMORY))
    connection.execute("SELECT add_vector_index(%s)", (page_table.name,))
    connection.execute("VACUUM ANALYZE")
    return made


def _listed(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


_DUMP: Final = sql.SQL(
    "SELECT {columns}, embedding FROM documents JOIN {table} USING (content_hash) ORDER BY event_time"
)
_PAGES: Final = """
INSERT INTO pages (wiki, title, event_time, asked_since, priority, fetched_at, origin, description, text, content_hash)
SELECT DISTINCT ON (wiki, title) wiki, title, event_time, received_at, 0, now(), 'made up', text, text, content_hash
FROM documents ORDER BY wiki, title, event_time DESC"""
_PAGE_VECTORS: Final = sql.SQL(
    "INSERT INTO {page_table} (content_hash, embedding)"
    " SELECT content_hash, embedding FROM {table} WHERE content_hash IN (SELECT content_hash FROM pages)"
)
