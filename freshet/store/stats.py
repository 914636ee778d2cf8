"""What was edited in a window of time, counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from psycopg import AsyncConnection, sql
from psycopg.rows import class_row

from freshet.addresses import without_addresses

Grouped = Literal["wiki", "type", "user_kind"]


@dataclass(frozen=True)
class Count:
    """Documents of one value of a column."""

    name: str | None
    documents: int


@dataclass(frozen=True)
class BusyPage:
    """A page with its documents in the window, how many users made them, and the newest of them."""

    wiki: str
    title: str
    documents: int
    users: int
    reverts: int
    newest_event_time: datetime
    page_url: str | None


async def total(connection: AsyncConnection[Any], minutes: int) -> int:
    """Documents whose event time lies in the last `minutes`."""
    cursor = await connection.execute(_TOTAL, {"minutes": minutes})
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def by(connection: AsyncConnection[Any], column: Grouped, minutes: int, most: int) -> Sequence[Count]:
    """The values of a column with the most documents, most first."""
    cursor = connection.cursor(row_factory=class_row(Count))
    await cursor.execute(_BY.format(column=sql.Identifier(column)), {"minutes": minutes, "most": most})
    return await cursor.fetchall()


async def busy_pages(connection: AsyncConnection[Any], minutes: int, most: int) -> Sequence[BusyPage]:
    """The pages with the most documents, the one edited last among equals; none is called after a person's address."""
    cursor = connection.cursor(row_factory=class_row(BusyPage))
    await cursor.execute(_BUSY_PAGES, {"minutes": minutes, "most": most})
    return [BusyPage(**without_addresses(vars(row))) for row in await cursor.fetchall()]


_WINDOW: Final = "FROM documents WHERE event_time > now() - make_interval(mins => %(minutes)s)"
_TOTAL: Final = f"SELECT count(*) {_WINDOW}"
_BY: Final = sql.SQL(f"""
SELECT {{column}} AS name, count(*) AS documents
{_WINDOW}
GROUP BY 1 ORDER BY documents DESC, name LIMIT %(most)s""")
_BUSY_PAGES: Final = f"""
SELECT wiki, title, count(*) AS documents, count(DISTINCT user_name) AS users, count(revert_kind) AS reverts,
    max(event_time) AS newest_event_time, max(page_url) AS page_url
{_WINDOW}
GROUP BY wiki, title ORDER BY documents DESC, newest_event_time DESC LIMIT %(most)s"""
