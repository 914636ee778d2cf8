"""Keeping the store small: what is too old, vectors of no document, and vector indexes that have grown.

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
from freshet.store.repository import CONNECT_TIMEOUT_S

Kind = Literal["documents", "answers", "sla_checks", "sla_breaches", "upkeep_reports"]

# Any number, as long as it stays the same: two who tidy up at once would build the same index twice.
_LOCK: Final = 7_305_214

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

    model_id: str
    table: str
    dimensions: int
    vectors: int
    bytes: int

    @property
    def name(self) -> str:
        """As the migrations call it."""
        return f"{self.table}_hnsw"

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
        while connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchall() != [(True,)]:
            if time.monotonic() > deadline:
                raise TransientError("the store is being tidied up by somebody else")
            time.sleep(ASK_AGAIN_S)
        yield connection


def count_expired(connection: Connection, kind: Kind, before: datetime) -> int:
    """How many rows are older."""
    return int(connection.execute(_COUNT_EXPIRED[kind], (before,)).fetchall()[0][0])


def delete_expired(connection: Connection, kind: Kind, before: datetime, limit: int) -> int:
    """Delete up to so many rows that are older and that nobody is writing. Returns how many."""
    return connection.execute(_DELETE_EXPIRED[kind], (before, limit)).rowcount


def count_orphans(connection: Connection, table: str) -> int:
    """How many vectors belong to no document."""
    return int(connection.execute(_COUNT_ORPHANS.format(table=sql.Identifier(table))).fetchall()[0][0])


def delete_orphans(connection: Connection, table: str, after: str, limit: int) -> tuple[str | None, int]:
    """Delete the vectors of no document among the next so many hashes after this one, in their order.

    Returns the last of these hashes, None at the end of the table, and how many were deleted.
    """
    statement = _DELETE_ORPHANS.format(table=sql.Identifier(table))
    last, deleted = connection.execute(statement, (after, limit)).fetchall()[0]
    return last, int(deleted)


def note_missing(connection: Connection, table: VectorTable) -> int:
    """Make pending the texts of documents that have no vector and are not pending. Returns how many.

    Only by the active model. The indexer may have relied on a vector that was taken for an orphan at that moment, or
    not have known yet of a model that has just become the active one.
    """
    return connection.execute(_NOTE_MISSING.format(table=sql.Identifier(table.name)), (table.model_id,)).rowcount


def vector_indexes(connection: Connection) -> Sequence[VectorIndex]:
    """Every model's vector index that is whole, with its vectors counted."""
    return [
        VectorIndex(model_id, table, dimensions, count_vectors(connection, table), size)
        for model_id, table, dimensions, size in connection.execute(_VECTOR_INDEXES).fetchall()
    ]


def reindex(connection: Connection, index: VectorIndex) -> None:
    """Build a vector index anew while it is read and written, after what an earlier attempt may have left behind.

    In one process: several share their memory by files that a container may have no room for.
    """
    for (left,) in connection.execute(_LEFT_BEHIND, (index.name,)).fetchall():
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(left)))
    connection.execute(sql.SQL("SET maintenance_work_mem = {}").format(INDEX_MEMORY))
    connection.execute("SET max_parallel_maintenance_workers = 0")
    connection.execute(sql.SQL("REINDEX INDEX CONCURRENTLY {}").format(sql.Identifier(index.name)))


def analyze(connection: Connection) -> None:
    """Have the planner know what is there, and searches how common each word is."""
    connection.execute("ANALYZE")


def database_bytes(connection: Connection) -> int:
    """How large the whole database is."""
    return int(connection.execute("SELECT pg_database_size(current_database())").fetchall()[0][0])


def search_ms(connection: Connection, index: VectorIndex, times: int = 5) -> float | None:
    """How long the ten nearest take by this index, the median of some searches, ms; None without vectors."""
    table = sql.Identifier(index.table)
    samples = connection.execute(_SAMPLES.format(table=table), (times,)).fetchall()
    took = []
    for (vector,) in samples:
        begun = time.perf_counter()
        connection.execute(_NEAREST.format(table=table), (vector,)).fetchall()
        took.append(1000 * (time.perf_counter() - begun))
    return round(median(took), 2) if took else None


def count_vectors(connection: Connection, table: str) -> int:
    """How many vectors a table has."""
    return int(connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchall()[0][0])


_COUNT_EXPIRED: Final[dict[Kind, str]] = {
    "documents": "SELECT count(*) FROM documents WHERE event_time < %s",
    "answers": "SELECT count(*) FROM answers WHERE asked_at < %s",
    "sla_checks": "SELECT count(*) FROM sla_checks WHERE checked_at < %s",
    "sla_breaches": "SELECT count(*) FROM sla_breaches WHERE ended_at < %s",
    "upkeep_reports": "SELECT count(*) FROM upkeep_reports WHERE started_at < %s",
}
_DELETE_EXPIRED: Final[dict[Kind, str]] = {
    "documents": """
DELETE FROM documents WHERE doc_id = ANY (ARRAY(
    SELECT doc_id FROM documents WHERE event_time < %s ORDER BY event_time LIMIT %s FOR UPDATE SKIP LOCKED))""",
    "answers": """
DELETE FROM answers WHERE answer_id = ANY (ARRAY(
    SELECT answer_id FROM answers WHERE asked_at < %s ORDER BY asked_at LIMIT %s FOR UPDATE SKIP LOCKED))""",
    "sla_checks": """
DELETE FROM sla_checks WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM sla_checks WHERE checked_at < %s ORDER BY checked_at LIMIT %s FOR UPDATE SKIP LOCKED))""",
    "sla_breaches": """
DELETE FROM sla_breaches WHERE breach_id = ANY (ARRAY(
    SELECT breach_id FROM sla_breaches WHERE ended_at < %s ORDER BY ended_at LIMIT %s FOR UPDATE SKIP LOCKED))""",
    "upkeep_reports": """
DELETE FROM upkeep_reports WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM upkeep_reports WHERE started_at < %s LIMIT %s FOR UPDATE SKIP LOCKED))""",
}
_COUNT_ORPHANS: Final = sql.SQL("""
SELECT count(*) FROM {table} e WHERE NOT EXISTS (SELECT FROM documents d WHERE d.content_hash = e.content_hash)""")
_DELETE_ORPHANS: Final = sql.SQL("""
WITH page AS MATERIALIZED (SELECT content_hash FROM {table} WHERE content_hash > %s ORDER BY content_hash LIMIT %s),
gone AS (
    DELETE FROM {table} e USING page WHERE e.content_hash = page.content_hash
        AND NOT EXISTS (SELECT FROM documents d WHERE d.content_hash = page.content_hash)
    RETURNING 1
)
SELECT (SELECT max(content_hash) FROM page), (SELECT count(*) FROM gone)""")
_NOTE_MISSING: Final = sql.SQL("""
INSERT INTO pending_embeddings (content_hash, model_id, text, error)
SELECT DISTINCT ON (d.content_hash) d.content_hash, m.model_id, d.text, 'its vector is missing'
FROM documents d JOIN embedding_models m ON m.model_id = %s AND m.state = 'active'
WHERE NOT EXISTS (SELECT FROM {table} e WHERE e.content_hash = d.content_hash)
ORDER BY d.content_hash
ON CONFLICT DO NOTHING""")
_VECTOR_INDEXES: Final = """
SELECT model_id, table_name, dimensions, pg_relation_size(indexrelid)
FROM embedding_models JOIN pg_index ON indexrelid = to_regclass(quote_ident(table_name || '_hnsw'))
WHERE indisvalid ORDER BY model_id"""
_LEFT_BEHIND: Final = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relnamespace = current_schema::regnamespace
    AND c.relname ~ ('^' || left(%s, 55) || '.*_cc(new|old)[0-9]*$')"""
_SAMPLES: Final = sql.SQL("SELECT embedding::text FROM {table} LIMIT %s")
_NEAREST: Final = sql.SQL("SELECT content_hash FROM {table} ORDER BY embedding <=> %s::halfvec LIMIT 10")
