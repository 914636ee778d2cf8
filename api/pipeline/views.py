"""The parts of the pipeline as the route asks for them, remembered for a moment, and the looks of its history."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Final

import httpx
import psycopg
from anyio import to_thread

from api.layers.views import Layers
from api.models.pipeline import PagesOut
from api.pipeline import log
from api.pipeline.airflow import Airflow
from api.pipeline.history import STEP_S, History, Look, counted
from api.pipeline.pages import known_pages, unknown_pages
from api.pipeline.processes import PROBE_S, Processes
from api.remembered import Remembered
from api.turns import Pool
from freshet.offsets import Offsets
from freshet.settings import Settings
from freshet.store import progress, sla
from freshet.store.page_standing import standing
from freshet.store.progress import Progress
from freshet.store.sla import Breach, Check
from freshet.telemetry import logs

LOG_S: Final = 2.0
PROCESSES_S: Final = 2.0
STORE_S: Final = 1.0
SOURCES_S: Final = 10.0
PAGES_S: Final = 10.0
UPKEEP_S: Final = 10.0
ASKED_S: Final = 3.0
"""Postgres may take so long; a request waits two of them for a connection."""

WINDOW_S: Final = 300.0


@dataclass(frozen=True)
class StoreNow:
    """The store at one moment, with the last freshness checks and the breaches that last."""

    progress: Progress
    checked_at: datetime | None = None
    checks: list[Check] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)


class Pipeline:
    """One a process. Nothing that it gives is raised: what is away is the reason in words, or nothing."""

    def __init__(self, settings: Settings, pool: Pool, layers: Layers, http: httpx.AsyncClient) -> None:
        self._pool = pool
        self._http = http
        self.history = History()
        look = partial(log.look, settings, Offsets(settings))
        # whoever waits for a broker that is away is left to himself when the process ends
        self.log = Remembered(partial(to_thread.run_sync, look, abandon_on_cancel=True), LOG_S)
        self.processes = Remembered(Processes(settings, http, pool, layers.kafka).look, PROCESSES_S)
        self.store = Remembered(self._stored, STORE_S)
        self.sources = Remembered(self._sources, SOURCES_S)
        self.pages = Remembered(self._pages, PAGES_S)
        self.upkeep = Remembered(Airflow(settings, http).upkeep, UPKEEP_S)

    async def watch(self) -> None:
        """Look every few seconds, until it is cancelled."""
        due = monotonic()
        while True:
            try:
                look = await self._look()
            except Exception as error:  # noqa: BLE001  (the top of a loop: the history goes on with a gap)
                logs.get().warning("a look at the pipeline failed", error=str(error))
                look = Look(datetime.now(UTC), monotonic())
            self.history.add(look)
            due = max(due + STEP_S, monotonic())
            await asyncio.sleep(due - monotonic())

    async def _look(self) -> Look:
        before = self.history.last
        at, clock_s = datetime.now(UTC), monotonic()
        window_s = clock_s - before.clock_s if before else STEP_S
        # the processes only so that they know since when each is as it is
        seen, became, _ = await asyncio.gather(self.log(), self._became_searchable(window_s), self.processes())
        known = None if isinstance(seen, str) else seen
        return Look(
            at=at,
            clock_s=clock_s,
            counts={**(known.ends if known else {}), **counted()},
            lag_serve=known.unserved.records if known else None,
            lag_indexer=known.unindexed.records if known else None,
            lag_lake=known.unlaked if known else None,
            searchable_per_second=round(became.searchable / window_s, 3) if became else None,
            p50_ms=_rounded(became.p50) if became else None,
            p95_ms=_rounded(became.p95) if became else None,
        )

    async def _stored(self) -> StoreNow | str:
        try:
            async with self._connection() as connection:
                found = await progress.progress(connection, WINDOW_S)
                return StoreNow(found, *await sla.latest(connection), await sla.lasting(connection))
        except (TimeoutError, psycopg.Error) as error:
            return _reason(error)

    async def _pages(self) -> PagesOut:
        try:
            async with self._connection() as connection:
                return known_pages(await standing(connection), datetime.now(UTC))
        except (TimeoutError, psycopg.Error) as error:
            return unknown_pages(_reason(error))

    async def _sources(self) -> list[str]:
        with suppress(psycopg.Error, TimeoutError):
            async with self._connection() as connection:
                return await progress.sources(connection)
        return []

    async def _became_searchable(self, window_s: float) -> Progress | None:
        with suppress(psycopg.Error, TimeoutError):
            async with self._connection() as connection:
                return await progress.progress(connection, window_s)
        return None

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[psycopg.AsyncConnection]:
        async with asyncio.timeout(ASKED_S), self._pool.connection() as connection:
            yield connection


@asynccontextmanager
async def watched(settings: Settings, pool: Pool, layers: Layers) -> AsyncGenerator[Pipeline]:
    """The pipeline, looked at in the background until the block ends."""
    async with httpx.AsyncClient(trust_env=False, timeout=PROBE_S) as http:
        pipeline = Pipeline(settings, pool, layers, http)
        watching = asyncio.create_task(pipeline.watch())
        try:
            yield pipeline
        finally:
            watching.cancel()
            await asyncio.wait([watching])


def _reason(error: TimeoutError | psycopg.Error) -> str:
    match error:
        case TimeoutError():
            return f"Postgres does not answer: nothing within {ASKED_S:g} s"
        case psycopg.errors.UndefinedTable():
            return "the store is not set up yet: its migrations have not run"
        case psycopg.OperationalError():
            return "Postgres does not answer"
        case _:
            return f"Postgres refuses: {type(error).__name__}"


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 1)
