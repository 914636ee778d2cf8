"""Keeping the store small: what is too old, vectors of no text, and vector indexes that have grown.

Every statement is for a connection in autocommit mode, and each deletes a bounded number of rows.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final, Literal

import psycopg
from psycopg import Connection, sql

from freshet.errors import TransientError
from freshet.store.bulk import INDEX_MEMORY
from freshet.store.embeddings import VectorTable
from freshet.store.locks import Lock, take
from freshet.store.repository import CONNECT_TIMEOUT_S

Kind = Literal["documents", "pages", "answers", "sla_checks", "sla_breaches", "upkeep_reports"]

ASK_AGAIN_S: Final = 0.5

# An element of pgvector's graph without its vector, and its list of neighbours with m = 16, each with its line pointer;
# and what a page has room for. A test compares this with an index that is new.
_ELEMENT_BYTES: Final = 72 + 8 + 4
_NEIGHBOURS_BYTES: Final = 200 + 6 + 4
_PAGE_BYTES: Final = 8192
_USABLE_BYTES: Final = 8152


@dataclass(frozen=True)
class VectorIndex:
    """A model's vector index: how large it is, and how large one made anew would be, about."""

    table: VectorTable
    dimensions: int
    vectors: int
    bytes: int

    @property
    def needed_bytes(self) -> int:
        """What its vectors need: whole elements in whole pages."""
        per_page = max(1, _USABLE_BYTES // (_ELEMENT_BYTES + 2 * self.dimensions + _NEIGHBOURS_BYTES))
        return (self.vectors // per_page + 2) * _PAGE_BYTES

    @property
    def growth(self) -> float:
        """How many times as large as it needs to be."""
        return self.bytes / self.needed_bytes


@contextmanager
def connect(conninfo: str, wait_s: float = 0.0) -> Iterator[Connection]:
    """A connection for this, which nobody else has meanwhile. Raises TransientError when somebody has it for longer."""
    deadline = time.monotonic() + wait_s
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        # It is let go with the connection. Asked for again and again: whoever waits for it in a statement would be
        # waited for by a concurrent build of an index.
        while not take(connection, Lock.TIDYING):
            if time.monotonic() > deadline:
                raise TransientError("the store is being tidied up by somebody else")
            time.sleep(ASK_AGAIN_S)
        yield connection


def count_expired(connection: Connection, kind: Kind, before: datetime) -> int:
    """How many rows are older; pages only without newer documents, too."""
    return int(connection.execute(_COUNT_EXPIRED[kind], {"before": before}).fetchall()[0][0])


def delete_expired(connection: Connection, kind: Kind, before: datetime, limit: int) -> int:
    """Delete up to so many rows that are older and that nobody is writing; pages only without documents, too. Returns
    how many."""
    return connection.execute(_DELETE_EXPIRED[kind], {"before": before, "limit": limit}).rowcount


def count_orphans(connection: Connection, table: VectorTable) -> int:
    """How many vectors belong to no text."""
    return int(connection.execute(_of(table, _COUNT_ORPHANS)).fetchall()[0][0])


def delete_orphans(connection: Connection, table: VectorTable, after: str, limit: int) -> tuple[str | None, int]:
    """Delete the vectors of no text among the next so many hashes after this one, in their order.

    Returns the last of these hashes, None at the end of the table, and how many were deleted.
    """
    last, deleted = connection.execute(_of(table, _DELETE_ORPHANS), (after, limit)).fetchall()[0]
    return last, int(deleted)


def note_missing(connection: Connection, table: VectorTable) -> int:
    """Make pending the texts that have no vector in this table and are not pending. Returns how many.

    Only by the active model. The indexer may have relied on a vector that was taken for an orphan at that moment, or
    not have known yet of a model that has just become the active one.
    """
    given = {"model": table.model_id, "texts": table.texts}
    return connection.execute(_of(table, _NOTE_MISSING), given).rowcount


def vector_indexes(connection: Connection) -> Sequence[VectorIndex]:
    """Every model's vector indexes that are whole, that of edits before that of pages, with their vectors counted."""
    found = []
    for model_id, name, texts, dimensions, size in connection.execute(_VECTOR_INDEXES).fetchall():
        table = VectorTable(model_id, name, texts)
        found.append(VectorIndex(table, dimensions, count_vectors(connection, table), size))
    return found


def reindex(connection: Connection, index: VectorIndex) -> None:
    """Build a vector index anew while it is read and written, after what an earlier attempt may have left behind.

    In one process: several share their memory by files that a container may have no room for.
    """
    name = index.table.index_name
    for (left,) in connection.execute(_LEFT_BEHIND, (name,)).fetchall():
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(left)))
    connection.execute(sql.SQL("SET maintenance_work_mem = {}").format(INDEX_MEMORY))
    connection.execute("SET max_parallel_maintenance_workers = 0")
    connection.execute(sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(sql.Identifier(name)))


def analyze(connection: Connection) -> None:
    """Have the planner know what is there, and searches how common each word is."""
    connection.execute("ANALYZE")


def database_bytes(connection: Connection) -> int:
    """How large the whole database is."""
    return int(connection.execute("SELECT pg_database_size(current_database())").fetchall()[0][0])


def search_ms(connection: Connection, index: VectorIndex, times: int = 5) -> float | None:
    """How long the ten nearest take by this index, the median of some searches, ms; None without vectors."""
    table = sql.Identifier(index.table.name)
    samples = connection.execute(_SAMPLES.format(table=table), (times,)).fetchall()
    took = []
    for (vector,) in samples:
        begun = time.perf_counter()
        connection.execute(_NEAREST.format(table=table), (vector,)).fetchall()
        took.append(1000 * (time.perf_counter() - begun))
    return round(median(took), 2) if took else None


def count_vectors(connection: Connection, table: VectorTable) -> int:
    """How many vectors a table has."""
    return int(connection.execute(_of(table, _COUNT_VECTORS)).fetchall()[0][0])


def _of(table: VectorTable, statement: sql.SQL) -> sql.Composed:
    return statement.format(table=sql.Identifier(table.name), texts=sql.Identifier(table.texts))


_COUNT_EXPIRED: Final[dict[Kind, str]] = {
    "documents": "SELECT count(*) FROM documents WHERE event_time < %(before)s",
    # those whose documents are about to be deleted are among them
    "pages": """
SELECT count(*) FROM pages p WHERE event_time < %(before)s AND NOT EXISTS (
    SELECT FROM documents d WHERE d.wiki = p.wiki AND d.title = p.title AND d.event_time >= %(before)s)""",
    "answers": "SELECT count(*) FROM answers WHERE asked_at < %(before)s",
    "sla_checks": "SELECT count(*) FROM sla_checks WHERE checked_at < %(before)s",
    "sla_breaches": "SELECT count(*) FROM sla_breaches WHERE ended_at < %(before)s",
    "upkeep_reports": "SELECT count(*) FROM upkeep_reports WHERE started_at < %(before)s",
}
_DELETE_EXPIRED: Final[dict[Kind, str]] = {
    "documents": """
DELETE FROM documents WHERE doc_id = ANY (ARRAY(
    SELECT doc_id FROM documents WHERE event_time < %(before)s
    ORDER BY event_time LIMIT %(limit)s FOR UPDATE SKIP LOCKED))""",
    "pages": """
WITH gone AS MATERIALIZED (
    SELECT wiki, title FROM pages p WHERE event_time < %(before)s
        AND NOT EXISTS (SELECT FROM documents d WHERE d.wiki = p.wiki AND d.title = p.title)
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM pages p USING gone WHERE (p.wiki, p.title) = (gone.wiki, gone.title)""",
    "answers": """
DELETE FROM answers WHERE answer_id = ANY (ARRAY(
    SELECT answer_id FROM answers WHERE asked_at < %(before)s
    ORDER BY asked_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))""",
    "sla_checks": """
DELETE FROM sla_checks WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM sla_checks WHERE checked_at < %(before)s
    ORDER BY checked_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))""",
    "sla_breaches": """
DELETE FROM sla_breaches WHERE breach_id = ANY (ARRAY(
    SELECT breach_id FROM sla_breaches WHERE ended_at < %(before)s
    ORDER BY ended_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))""",
    "upkeep_reports": """
DELETE FROM upkeep_reports WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM upkeep_reports WHERE started_at < %(before)s LIMIT %(limit)s FOR UPDATE SKIP LOCKED))""",
}
_COUNT_ORPHANS: Final = sql.SQL("""
SELECT count(*) FROM {table} e WHERE NOT EXISTS (SELECT FROM {texts} d WHERE d.content_hash = e.content_hash)""")
_DELETE_ORPHANS: Final = sql.SQL("""
WITH page AS MATERIALIZED (SELECT content_hash FROM {table} WHERE content_hash > %s ORDER BY content_hash LIMIT %s),
gone AS (
    DELETE FROM {table} e USING page WHERE e.content_hash = page.content_hash
        AND NOT EXISTS (SELECT FROM {texts} d WHERE d.content_hash = page.content_hash)
    RETURNING 1
)
SELECT (SELECT max(content_hash) FROM page), (SELECT count(*) FROM gone)""")
_NOTE_MISSING: Final = sql.SQL("""
INSERT INTO pending_embeddings (content_hash, model_id, texts, text, error)
SELECT DISTINCT ON (d.content_hash) d.content_hash, m.model_id, %(texts)s, d.text, 'its vector is missing'
FROM {texts} d JOIN embedding_models m ON m.model_id = %(model)s AND m.state = 'active'
WHERE d.content_hash IS NOT NULL AND NOT EXISTS (SELECT FROM {table} e WHERE e.content_hash = d.content_hash)
ORDER BY d.content_hash
ON CONFLICT DO NOTHING""")
_VECTOR_INDEXES: Final = """
SELECT model_id, prefix || table_name, texts, dimensions, pg_relation_size(indexrelid)
FROM embedding_models CROSS JOIN (VALUES ('', 'documents'), ('page_', 'pages')) AS kinds (prefix, texts)
JOIN pg_index ON indexrelid = to_regclass(quote_ident(prefix || table_name || '_hnsw'))
WHERE indisvalid ORDER BY model_id, texts"""
_COUNT_VECTORS: Final = sql.SQL("SELECT count(*) FROM {table}")
_LEFT_BEHIND: Final = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relnamespace = current_schema::regnamespace
    AND c.relname ~ ('^' || left(%s, 55) || '.*_cc(new|old)[0-9]*$')"""
_SAMPLES: Final = sql.SQL("SELECT embedding::text FROM {table} LIMIT %s")
_NEAREST: Final = sql.SQL("SELECT content_hash FROM {table} ORDER BY embedding <=> %s::halfvec LIMIT 10")
