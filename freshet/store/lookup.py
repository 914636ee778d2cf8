"""Reading single documents, and how fresh and how large the store is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection, sql
from psycopg.rows import class_row, dict_row

from freshet.addresses import without_addresses
from freshet.contract import schemas, topics
from freshet.store.filters import Filters, where


@dataclass(frozen=True)
class Newest:
    """The newest of everything; None in an empty store."""

    newest_event_time: datetime | None
    newest_searchable_at: datetime | None


@dataclass(frozen=True)
class Extent:
    """What a question searched: how many documents, from when to when, and where they came from."""

    documents: int
    oldest_event_time: datetime | None
    newest_event_time: datetime | None
    sources: list[str]


@dataclass(frozen=True)
class Freshness:
    """The whole store, and the delays of what came live and became searchable in the window, ms."""

    newest_event_time: datetime | None
    newest_received_at: datetime | None
    newest_searchable_at: datetime | None
    documents: int
    pending_embeddings: int
    source: list[str]
    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True)
class KnownPage:
    """What is known of a page, whether that is old, and since when it is to be asked about; None: it is not. `error` is
    that of the last of `attempts` in vain."""

    item_id: str | None
    label: str | None
    description: str | None
    origin: str | None
    fetched_at: datetime | None
    stale: bool
    waiting_since: datetime | None
    attempts: int
    error: str | None
    moved_to: str | None


async def document(connection: AsyncConnection[Any], doc_id: str) -> Mapping[str, Any] | None:
    """Everything of one document but its word vector and people's addresses, or None."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(_DOCUMENT, {"doc_id": doc_id})
    row = await cursor.fetchone()
    return row and without_addresses(row)


async def page(connection: AsyncConnection[Any], wiki: str, title: str) -> KnownPage | None:
    """What is known of a page; None when no edit of it was seen by whoever asks."""
    cursor = connection.cursor(row_factory=class_row(KnownPage))
    await cursor.execute(_PAGE, (wiki, title))
    return await cursor.fetchone()


async def newest(connection: AsyncConnection[Any]) -> Newest:
    """Answered by two indexes, so that every search can say it."""
    cursor = connection.cursor(row_factory=class_row(Newest))
    await cursor.execute("""
        SELECT (SELECT max(event_time) FROM documents) AS newest_event_time,
               (SELECT max(searchable_at) FROM documents) AS newest_searchable_at""")
    return (await cursor.fetchall())[0]


async def extent(connection: AsyncConnection[Any], filters: Filters) -> Extent:
    """What the filters leave to search."""
    cursor = connection.cursor(row_factory=class_row(Extent))
    await cursor.execute(_EXTENT.format(filters=where(filters)), filters.parameters())
    return (await cursor.fetchall())[0]


async def freshness(connection: AsyncConnection[Any], window_minutes: int) -> Freshness:
    """How fresh the store is. Delays are of documents that became searchable in the last `window_minutes`."""
    cursor = connection.cursor(row_factory=class_row(Freshness))
    await cursor.execute(_FRESHNESS, {"window": window_minutes, "backfill": topics.BACKFILL})
    return (await cursor.fetchall())[0]


async def ping(connection: AsyncConnection[Any]) -> None:
    """Raises psycopg.errors.UndefinedTable when the migrations have not run."""
    await connection.execute("SELECT FROM documents LIMIT 0")


_DOCUMENT: Final = sql.SQL("SELECT {columns}, gold_at, searchable_at FROM documents WHERE doc_id = %(doc_id)s").format(
    columns=sql.SQL(", ").join(sql.Identifier(name) for name in schemas.names(schemas.GOLD))
)

_PAGE: Final = """
SELECT item_id, label, description, origin, fetched_at, coalesce(stale_at <= now(), false) AS stale,
    CASE WHEN due_at IS NOT NULL THEN asked_since END AS waiting_since, attempts, error, moved_to
FROM pages WHERE wiki = %s AND title = %s"""

# Counted by source first: a DISTINCT inside the aggregate would sort every document (390 ms for 110,000; this way 140).
_EXTENT: Final = sql.SQL("""
WITH parts AS (
    SELECT d.source, count(*) AS documents, min(d.event_time) AS oldest, max(d.event_time) AS newest
    FROM documents d WHERE {filters} GROUP BY d.source
)
SELECT coalesce(sum(documents), 0)::bigint AS documents, min(oldest) AS oldest_event_time,
    max(newest) AS newest_event_time, coalesce(array_agg(source ORDER BY source), '{{}}') AS sources
FROM parts""")

_FRESHNESS: Final = """
WITH parts AS (
    SELECT source, count(*) AS documents, max(event_time) AS event_time, max(received_at) AS received_at,
        max(searchable_at) AS searchable_at
    FROM documents GROUP BY source
),
delays AS (
    SELECT greatest(extract(epoch FROM searchable_at - received_at), 0)::float8 * 1000 AS ms
    FROM documents WHERE searchable_at > now() - make_interval(mins => %(window)s) AND source <> %(backfill)s
)
SELECT whole.*, delay.*, (
    SELECT count(*) FROM pending_embeddings JOIN embedding_models USING (model_id)
    WHERE state = 'active' AND texts = 'documents'
) AS pending_embeddings
FROM (
    SELECT max(event_time) AS newest_event_time, max(received_at) AS newest_received_at,
        max(searchable_at) AS newest_searchable_at, coalesce(sum(documents), 0)::bigint AS documents,
        coalesce(array_agg(source ORDER BY source), '{}') AS source
    FROM parts
) whole, (
    SELECT count(*) AS count, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95,
        percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99, max(ms) AS max
    FROM delays
) delay"""
