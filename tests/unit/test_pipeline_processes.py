"""The states of the processes, and since when they are in them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import psycopg

from api.models.pipeline import ProcessOut
from api.pipeline.processes import Processes
from freshet.settings import load_settings


class NoPool:
    """As the pool is while Postgres is away."""

    def connection(self, timeout: float) -> Any:
        raise psycopg.OperationalError("nothing there")


async def kafka() -> str:
    return "does not answer: timed out"


def looks(*answers: httpx.Response | httpx.HTTPError) -> list[Sequence[ProcessOut]]:
    """One look for each of these answers of the only room."""
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        one = left.pop(0)
        if isinstance(one, httpx.HTTPError):
            raise one
        return one

    async def all_of_them() -> list[Sequence[ProcessOut]]:
        settings = load_settings(process_urls=("indexer=http://indexer/readyz",), airflow=False)
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            pool: Any = NoPool()
            processes = Processes(settings, http, pool, kafka)
            return [await processes.look() for _ in answers]

    return asyncio.run(all_of_them())


def test_a_process_is_in_its_state_since_it_was_first_seen_so() -> None:
    well, ill = httpx.Response(200), httpx.Response(503)
    first, second, third, fourth = (look[0] for look in looks(well, well, ill, ill))
    assert [one.state for one in (first, second, third, fourth)] == ["ready", "ready", "not ready", "not ready"]
    assert first.since == second.since < third.since == fourth.since


def test_who_is_slow_is_not_ready_and_only_where_nothing_is_there_it_is_away() -> None:
    slow, gone = (look[0] for look in looks(httpx.ReadTimeout("slow"), httpx.ConnectError("refused")))
    assert (slow.state, slow.detail) == ("not ready", "it does not answer within 1 s")
    assert (gone.state, gone.detail) == ("away", "it does not answer: ConnectError")


def test_engines_say_why_they_are_away_and_this_process_is_always_ready() -> None:
    (look,) = looks(httpx.Response(200))
    assert [(one.name, one.state, one.detail) for one in look[1:]] == [
        ("api", "ready", None),
        ("kafka", "away", "it does not answer: timed out"),
        ("postgres", "away", "it does not answer"),
    ]
