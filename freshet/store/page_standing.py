"""How far the questions about pages are, for those who look on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from freshet.store.context import KNOWN, Known
from freshet.store.unasked import COMMONEST_ERROR


@dataclass(frozen=True)
class Standing:
    """What is known, when anything was answered last, and the error that most of the failing pages have; None where
    none fails."""

    known: Known
    answered_at: datetime | None
    error: str | None


async def standing(connection: AsyncConnection[Any]) -> Standing:
    """All of it. It reads every page."""
    counted = await connection.cursor(row_factory=class_row(Known)).execute(KNOWN)
    known = (await counted.fetchall())[0]
    error = await _one(connection, COMMONEST_ERROR) if known.failing else None
    return Standing(known, await _one(connection, _ANSWERED_AT), error)


async def _one(connection: AsyncConnection[Any], statement: str) -> Any:
    return await (await connection.cursor(row_factory=scalar_row).execute(statement)).fetchone()


_ANSWERED_AT: Final = "SELECT max(fetched_at) FROM pages"
