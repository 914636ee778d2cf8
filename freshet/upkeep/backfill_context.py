"""Has pages that were seen before asked about, those of which nothing was answered yet: in chunks, behind the stream's.

Who asks is `context` alone, at its own rate. Each part may be killed and run again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final, Literal

import psycopg
from psycopg import Connection

from freshet.context_source import url_of
from freshet.contract.pages import Page
from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store import context, unasked
from freshet.store.context import Seen
from freshet.store.failures import translated
from freshet.store.repository import CONNECT_TIMEOUT_S
from freshet.store.unasked import Between, Wanted
from freshet.upkeep import reports
from freshet.upkeep.interval import moment
from freshet.upkeep.pages_asked import wait

DAG: Final = "backfill_context"
Name = Literal["plan", "report"]
Report = dict[str, Any]

CHUNK_PAGES: Final = 2_500
"""Pages of a chunk: at the default rate about a minute's work."""

MOST_CHUNKS: Final = 500
"""A run has no more parts than this: chunks become larger instead."""

PAGES_OF_A_REQUEST: Final = 50
"""Of any wikis: what Wikidata takes at once."""


@dataclass(frozen=True)
class Asked:
    """What a run is to do. Without `apply` it only says what it would do."""

    wanted: Wanted = field(default_factory=Wanted)
    chunk_pages: int = CHUNK_PAGES
    apply: bool = False


def asked(params: Mapping[str, Any]) -> Asked:
    """What the parameters of the DAG say. Raises PermanentError when a time is none."""
    since, until = (moment(params[name]) if params[name] else None for name in ("since", "until"))
    wanted = Wanted(since, until, tuple(params["wikis"]), params["stale"])
    return Asked(wanted, params["chunk_pages"], not params["dry_run"])


def part(settings: Settings, asked: Asked, name: Name | tuple[int, Sequence[Any]], run_id: str) -> Any:
    """One part of a run: the plan, the report, or a chunk by its number. What it comes to is kept.

    The plan returns the chunks, the report the reports of all parts and their sums. Raises PermanentError when nobody
    asks about pages, TransientError when trying again may help.
    """
    if name == "plan":
        chunks, report = plan(settings, asked)
        reports.keep(settings, DAG, run_id, name, report)
        return [_row(between) for between in chunks]
    if name == "report":
        return reports.collected(settings, DAG, run_id)
    number, row = name
    report = ask(settings, asked, _between(row))
    reports.keep(settings, DAG, run_id, f"ask {number}", report)
    return report


def plan(settings: Settings, asked: Asked) -> tuple[list[Between], Report]:
    """The chunks, none for a dry run, and what they come to. Raises PermanentError when nobody asks about pages."""
    began = perf_counter()
    if url_of(settings) is None:
        raise PermanentError(f"nobody is asked about pages: FRESHET_CONTEXT_SOURCE is {settings.context_source}")
    with _opened(settings) as connection:
        of_wikis = unasked.count(connection, asked.wanted)
        pages = sum(of_wikis.values())
        size = max(asked.chunk_pages, -(-pages // MOST_CHUNKS))
        chunks = unasked.cut(connection, asked.wanted, size) if asked.apply else []
    requests = -(-pages // PAGES_OF_A_REQUEST)
    return chunks, {
        "applied": asked.apply,
        "pages": pages,
        "wikis": len(of_wikis),
        "requests": requests,
        "estimated_seconds": round(60 * requests / settings.context_requests_per_minute, 1),
        "chunks": len(chunks),
        "seconds": round(perf_counter() - began, 3),
    }


def ask(settings: Settings, asked: Asked, between: Between) -> Report:
    """Have the pages of a chunk asked about, and wait until they were.

    Raises TransientError when nothing moves any more, or none of them could be asked about.
    """
    began = perf_counter()
    with _opened(settings) as connection:
        pages = unasked.within(connection, asked.wanted, between)
        now = datetime.now(UTC)
        context.note_seen(connection, {one.page: Seen(one.event_time, now) for one in pages}, context.BACKFILL)
        # those that wait long for their next attempt
        context.release(connection, [one.page for one in pages if one.attempts])
        outcome = wait(connection, pages)
    return {
        "applied": True,
        "asked": len(pages),
        "described": outcome.described,
        "missing": outcome.missing,
        "failing": outcome.failing,
        "error": outcome.error,
        "seconds": round(perf_counter() - began, 3),
    }


@contextmanager
def _opened(settings: Settings) -> Iterator[Connection]:
    with (
        translated(),
        psycopg.connect(settings.conninfo, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection,
    ):
        yield connection


def _row(between: Between) -> list[Any]:
    """As JSON holds it."""
    return [list(page) if page else None for page in between]


def _between(row: Sequence[Any]) -> Between:
    return Between(*(Page(*page) if page else None for page in row))
