"""What the freshness checks found, and the breaches among it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

from freshet.store.locks import Lock

State = Literal["ok", "breach", "quiet", "unknown"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `value` is None when it could not be measured."""

    name: str
    state: State
    value: float | None
    unit: str
    threshold: float | None
    detail: str


@dataclass(frozen=True)
class Breach:
    """A breach, from the first check that found it; the values are those of that check.

    `told_begin` and `told_end` are the channels that know of its beginning and of its end.
    """

    breach_id: UUID
    name: str
    begun_at: datetime
    ended_at: datetime | None
    value: float | None
    unit: str
    threshold: float | None
    detail: str
    told_begin: Sequence[str] = ()
    told_end: Sequence[str] = ()


class Searchable(NamedTuple):
    """When the newest document became searchable, and the texts that the active model has no vector of, with the oldest
    one's time."""

    newest_at: datetime | None
    pending: int
    pending_since: datetime | None


@contextmanager
def connect(conninfo: str, timeout_s: float) -> Iterator[Connection]:
    """A connection on which nothing takes longer, neither opening it nor a statement. Raises psycopg.Error."""
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=max(2, round(timeout_s))) as connection:
        connection.execute("SELECT set_config('statement_timeout', %s, false)", (f"{round(timeout_s * 1000)}ms",))
        yield connection


def searchable(connection: Connection) -> Searchable:
    """How far the store has come; the newest is found by its index."""
    return Searchable(*connection.execute(_SEARCHABLE).fetchall()[0])


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Nobody else reads and writes breaches until the block ends. Raises psycopg.Error when that takes too long."""
    connection.execute("SELECT pg_advisory_lock(%s)", (Lock.CHECKING_FRESHNESS,))
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (Lock.CHECKING_FRESHNESS,))


def breaches(connection: Connection, ended_since: datetime) -> list[Breach]:
    """Those that last, those that ended since, and those whose end not all know who know of the beginning."""
    with connection.cursor(row_factory=class_row(Breach)) as cursor:
        return cursor.execute(_BREACHES, (ended_since,)).fetchall()


def keep(connection: Connection, checked_at: datetime, checks: Sequence[Check], found: Sequence[Breach]) -> None:
    """Store what one run found: all of it or nothing."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_CHECK, [{**vars(check), "checked_at": checked_at} for check in checks])
        cursor.executemany(
            _BREACH,
            [{**vars(one), "told_begin": list(one.told_begin), "told_end": list(one.told_end)} for one in found],
        )


async def latest(connection: AsyncConnection[Any]) -> tuple[datetime | None, list[Check]]:
    """When the last run was, and what it found."""
    cursor = await connection.execute("SELECT max(checked_at) FROM sla_checks")
    (checked_at,) = (await cursor.fetchall())[0]
    rows = connection.cursor(row_factory=class_row(Check))
    await rows.execute(_OF_RUN, (checked_at,))
    return checked_at, await rows.fetchall()


async def lasting(connection: AsyncConnection[Any]) -> list[Breach]:
    """The breaches that are not over, the oldest first."""
    rows = connection.cursor(row_factory=class_row(Breach))
    await rows.execute(_LASTING)
    return await rows.fetchall()


_SEARCHABLE: Final = """
SELECT (SELECT max(searchable_at) FROM documents), count(*), min(since)
FROM pending_embeddings JOIN embedding_models USING (model_id) WHERE state = 'active' AND texts = 'documents'"""
_BREACHES: Final = """
SELECT breach_id, name, begun_at, ended_at, value, unit, threshold, detail, told_begin, told_end
FROM sla_breaches WHERE ended_at IS NULL OR ended_at > %s OR NOT told_end @> told_begin ORDER BY begun_at, name"""
_LASTING: Final = """
SELECT breach_id, name, begun_at, ended_at, value, unit, threshold, detail, told_begin, told_end
FROM sla_breaches WHERE ended_at IS NULL ORDER BY begun_at, name"""
_CHECK: Final = """
INSERT INTO sla_checks (checked_at, name, state, value, unit, threshold, detail)
VALUES (%(checked_at)s, %(name)s, %(state)s, %(value)s, %(unit)s, %(threshold)s, %(detail)s)"""
_BREACH: Final = """
INSERT INTO sla_breaches (breach_id, name, begun_at, ended_at, value, unit, threshold, detail, told_begin, told_end)
VALUES (%(breach_id)s, %(name)s, %(begun_at)s, %(ended_at)s, %(value)s, %(unit)s, %(threshold)s, %(detail)s,
    %(told_begin)s, %(told_end)s)
ON CONFLICT (breach_id) DO UPDATE SET (ended_at, told_begin, told_end)
    = (coalesce(sla_breaches.ended_at, EXCLUDED.ended_at), EXCLUDED.told_begin, EXCLUDED.told_end)"""
_OF_RUN: Final = """
SELECT name, state, value, unit, threshold, detail FROM sla_checks WHERE checked_at = %s ORDER BY name"""
