"""How far the store has come, for who asks often: the index on `searchable_at` tells, whatever the store's size."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from freshet.contract import topics


@dataclass(frozen=True)
class Progress:
    """When the newest document became searchable, how many did in the window, and how long those took that came live,
    ms from received to searchable."""

    newest_searchable_at: datetime | None
    searchable: int
    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


async def progress(connection: AsyncConnection[Any], window_s: float) -> Progress:
    """Of the last so many seconds."""
    cursor = connection.cursor(row_factory=class_row(Progress))
    await cursor.execute(_PROGRESS, {"window": window_s, "backfill": topics.BACKFILL})
    return (await cursor.fetchall())[0]


async def sources(connection: AsyncConnection[Any]) -> list[str]:
    """Where the documents came from. It reads all of them."""
    cursor = await connection.execute(_SOURCES)
    return [source for (source,) in await cursor.fetchall()]


_PROGRESS: Final = """
WITH recent AS (
    SELECT greatest(extract(epoch FROM searchable_at - received_at), 0)::float8 * 1000 AS ms,
        source <> %(backfill)s AS live
    FROM documents WHERE searchable_at > now() - make_interval(secs => %(window)s)
)
SELECT (SELECT max(searchable_at) FROM documents) AS newest_searchable_at, count(*) AS searchable,
    count(*) FILTER (WHERE live) AS count,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE live) AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) FILTER (WHERE live) AS p95,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) FILTER (WHERE live) AS p99,
    max(ms) FILTER (WHERE live) AS max
FROM recent"""
_SOURCES: Final = "SELECT DISTINCT source FROM documents ORDER BY source"
