"""Every process of the pipeline, by what it answers this one within a second."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import httpx
import psycopg

from api.models.pipeline import ProcessOut, ProcessState
from api.pipeline.airflow import HEALTH, unhealthy
from api.turns import Pool
from freshet import airflow_access
from freshet.context_source import url_of
from freshet.instances import indexer_ports
from freshet.settings import Settings
from freshet.store import lookup

PROBE_S: Final = 1.0
CONNECTION_S: Final = 0.8
"""Postgres is away where the pool has no connection after so long: sooner than a look ends."""

ORDER: Final = ("producer", "serve", "lake", "indexer", "context")
"""In which data moves; what else the settings name comes after these."""


class Look(NamedTuple):
    """What a process answered."""

    state: ProcessState
    detail: str | None = None


READY: Final = Look("ready")


class Processes:
    """Asks all of them at once, and remembers since when each is in its state. `kafka` says ok, or why not."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, pool: Pool, kafka: Callable[[], Awaitable[str]]
    ) -> None:
        self._http = http
        self._pool = pool
        self._kafka = kafka
        self._addresses = addresses(settings)
        self._airflow = airflow_access.shown_url(settings)
        self._since: dict[str, tuple[ProcessState, datetime]] = {}

    async def look(self) -> list[ProcessOut]:
        """All of them. It takes a second at most."""
        asked: dict[str, Awaitable[Look]] = {name: self._room(url) for name, url in self._addresses.items()}
        asked |= {"api": _itself(), "kafka": self._broker(), "postgres": self._store()}
        if self._airflow:
            asked["airflow"] = self._scheduler(self._airflow + HEALTH)
        looks = await asyncio.gather(*(_within(one) for one in asked.values()))
        now = datetime.now(UTC)
        return [self._told(name, look, now) for name, look in zip(asked, looks, strict=True)]

    def _told(self, name: str, look: Look, now: datetime) -> ProcessOut:
        state, since = self._since.get(name, (None, now))
        if state != look.state:
            since = now
            self._since[name] = look.state, since
        return ProcessOut(name=name, state=look.state, detail=look.detail, since=since)

    async def _room(self, url: str) -> Look:
        answer = await self._http.get(url)
        return READY if answer.is_success else Look("not ready", f"it answers {answer.status_code}")

    async def _broker(self) -> Look:
        said = await self._kafka()
        return READY if said == "ok" else Look("away", f"it {said}")

    async def _store(self) -> Look:
        try:
            async with self._pool.connection(CONNECTION_S) as connection:
                await lookup.ping(connection)
        except psycopg.errors.UndefinedTable:
            return Look("not ready", "its migrations have not run")
        except psycopg.Error:
            return Look("away", "it does not answer")
        return READY

    async def _scheduler(self, url: str) -> Look:
        answer = await self._http.get(url)
        if not answer.is_success:
            return Look("not ready", f"it answers {answer.status_code}")
        report = answer.json()
        detail = unhealthy(report) if isinstance(report, dict) else "its report cannot be read"
        return Look("not ready", detail) if detail else READY


def addresses(settings: Settings) -> dict[str, str]:
    """Where each process says whether it is ready, in the order in which data moves."""
    ports = {
        "producer": settings.producer_metrics_port,
        "serve": settings.serve_metrics_port,
        "lake": settings.lake_metrics_port,
        **indexer_ports(settings),
        **({"context": settings.context_metrics_port} if url_of(settings) else {}),
    }
    embedded = [f"{name}=http://127.0.0.1:{port}/readyz" for name, port in ports.items()]
    named = dict(entry.split("=", maxsplit=1) for entry in settings.process_urls or embedded)
    return dict(sorted(named.items(), key=lambda one: ORDER.index(one[0]) if one[0] in ORDER else len(ORDER)))


async def _itself() -> Look:
    return READY


async def _within(look: Awaitable[Look]) -> Look:
    try:
        async with asyncio.timeout(PROBE_S):
            return await look
    except (httpx.TimeoutException, TimeoutError):
        # on a machine that is busy it may only be slow, and a verdict must not turn on that
        return Look("not ready", f"it does not answer within {PROBE_S:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Look("away", f"it does not answer: {type(error).__name__}")
    except ValueError:
        return Look("not ready", "what it answers cannot be read")
