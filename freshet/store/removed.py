"""What was removed, for those who search the lake for it, who balance the books, and who ask for a trace."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from freshet.contract.removals import Origin, Standing
from freshet.store.failures import translated


class Found(NamedTuple):
    """An event that is in the lake although it was removed, or the place of a record that is no event."""

    event_id: str
    target: str
    origin: str
    kind: str
    raw_topic: str
    raw_partition: int
    raw_offset: int


class Event(NamedTuple):
    """A removed event as the audit needs it."""

    event_id: str
    origin: str
    raw_partition: int
    raw_offset: int


@dataclass(frozen=True)
class Removed:
    """Why and when an event was removed. `lake_at` is when it was taken out of the lake, `lifted` whether it may come
    back."""

    doc_id: str
    kind: str
    origin: str
    removed_at: datetime
    lake_at: datetime | None
    lifted: bool
    raw_partition: int
    raw_offset: int


def note(conninfo: str, found: Sequence[Found]) -> None:
    """Note events as removed before they are taken out of the lake. Raises TransientError when Postgres is away."""
    columns = {name: [getattr(one, name) for one in found] for name in Found._fields}
    with translated(), psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(_NOTE, columns)


def searched(
    conninfo: str, removals: Sequence[Standing], found: Sequence[str], began: datetime, origins: Sequence[Origin]
) -> None:
    """Every table was searched for those of these origins, from then on, and holds none of the events found any more.

    Raises TransientError when Postgres is away.
    """
    given = {
        "targets": [one.target for one in removals],
        "until": [one.until for one in removals],
        "found": list(found),
        "began": began,
        "origins": list(origins),
    }
    with translated(), psycopg.connect(conninfo) as connection:
        connection.execute(_SEARCHED, given)
        connection.execute(_CLEAN, given)


def waiting(connection: Connection) -> int:
    """How many removed events may still be in the lake."""
    (row,) = connection.execute("SELECT count(*) FROM removed_events WHERE lake_at IS NULL").fetchall()
    return int(row[0])


def waiting_since(connection: Connection) -> datetime | None:
    """When the first of what may still be in the lake was removed; None where nothing waits."""
    ((since,),) = connection.execute(_SINCE).fetchall()
    return since if isinstance(since, datetime) else None


def due(conninfo: str, age: timedelta = timedelta(), *origins: Origin) -> bool:
    """Whether the lake is to be searched for a removal of at least that age, and of one of the origins if any is given.

    For those by hand it is again once a day. Raises TransientError when Postgres is away.
    """
    with translated(), psycopg.connect(conninfo) as connection:
        (row,) = connection.execute(_DUE, {"age": age, "origins": list(origins or Origin)}).fetchall()
        return bool(row[0])


def events(connection: Connection) -> Iterator[Event]:
    """Every removed event, streamed."""
    with connection.cursor(name="removed") as cursor:
        cursor.execute("SELECT event_id, origin, raw_partition, raw_offset FROM removed_events")
        for row in cursor:
            yield Event(*row)


async def removed(connection: AsyncConnection[Any], doc_id: str) -> Removed | None:
    """Why a document is not there; None where it was not removed."""
    cursor = connection.cursor(row_factory=class_row(Removed))
    await cursor.execute(_REMOVED, (doc_id,))
    return await cursor.fetchone()


# What was removed by hand has left bronze too, whatever else removes it: "hand" is before "stream".
_NOTE: Final = """
INSERT INTO removed_events (event_id, target, origin, kind, raw_topic, raw_partition, raw_offset)
SELECT * FROM unnest(%(event_id)s::text[], %(target)s::text[], %(origin)s::text[], %(kind)s::text[],
    %(raw_topic)s::text[], %(raw_partition)s::integer[], %(raw_offset)s::bigint[])
ON CONFLICT (event_id) DO UPDATE SET (target, origin, kind, lake_at) = (
    SELECT target, origin, kind, NULL::timestamptz
    FROM (VALUES (EXCLUDED.target, EXCLUDED.origin, EXCLUDED.kind),
        (removed_events.target, removed_events.origin, removed_events.kind)) AS of (target, origin, kind)
    ORDER BY origin LIMIT 1
)"""

_SEARCHED: Final = """
UPDATE removals r SET lake_at = %(began)s
FROM unnest(%(targets)s::text[], %(until)s::timestamptz[]) AS s (target, until)
WHERE r.target = s.target AND r.until = s.until AND r.origin = ANY(%(origins)s)"""

# What was not found was taken out by a run that was cut off, unless the lake query has yet to write it.
_CLEAN: Final = """
UPDATE removed_events SET lake_at = now()
WHERE lake_at IS NULL AND origin = ANY(%(origins)s)
  AND (event_id = ANY(%(found)s) OR removed_at < %(began)s - interval '10 minutes')"""

# By hand bronze may get again what no document is made of, so that nobody notes it.
_DUE: Final = """
SELECT EXISTS (
    SELECT FROM removed_events WHERE lake_at IS NULL AND removed_at <= now() - %(age)s AND origin = ANY(%(origins)s)
) OR EXISTS (
    SELECT FROM removals
    WHERE NOT lifted AND origin = ANY(%(origins)s)
      AND (lake_at IS NULL AND noted_at <= now() - %(age)s OR origin = 'hand' AND lake_at < now() - interval '1 day')
)"""

_SINCE: Final = """
SELECT least((SELECT min(removed_at) FROM removed_events WHERE lake_at IS NULL),
    (SELECT min(noted_at) FROM removals WHERE lake_at IS NULL AND NOT lifted))"""

_REMOVED: Final = """
SELECT e.event_id AS doc_id, e.kind, e.origin, e.removed_at, e.lake_at, coalesce(r.lifted, false) AS lifted,
    e.raw_partition, e.raw_offset
FROM removed_events e LEFT JOIN removals r USING (target, origin) WHERE e.event_id = %s"""
