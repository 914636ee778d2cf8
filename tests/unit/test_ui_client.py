"""The API as the pages speak to it."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from freshet.settings import load_settings
from ui.client import ApiAwayError, Client, RefusedError


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    made = Client(load_settings(api_key="secret"))
    made._http = httpx.AsyncClient(
        base_url="http://api", transport=httpx.MockTransport(answer), headers=made._http.headers
    )
    return made


def events(text: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, headers={"Content-Type": "text/event-stream"}, text=text)


def test_a_comment_that_keeps_the_feed_alive_is_no_event() -> None:
    async def read() -> list[tuple[str, str]]:
        given = client(events("id: 0-1\nevent: edit\ndata: {}\n\n: ping\n\nid: 0-2\nevent: edit\ndata: {}\n\n"))
        async with aclosing(given.feed(5, "")) as feed:
            return [(event.event, event.id) async for event in feed]

    assert asyncio.run(read()) == [("edit", "0-1"), ("edit", "0-2")]


def test_the_key_and_the_place_in_the_feed_are_sent() -> None:
    seen: list[httpx.Request] = []

    async def read() -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return events("")(request)

        async with aclosing(client(answer).feed(5, "0-7")) as feed:
            assert [event async for event in feed] == []

    asyncio.run(read())
    assert seen[0].headers["Authorization"] == "Bearer secret"
    assert seen[0].headers["Last-Event-ID"] == "0-7"


def refusal(status: int, **given: Any) -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        asyncio.run(client(lambda _: httpx.Response(status, **given)).post("/v1/search", {}))
    return raised.value


def test_a_problem_document_is_told_in_its_own_words() -> None:
    limited = refusal(429, json={"detail": "Too often."}, headers={"Retry-After": "7"})
    assert (str(limited), limited.retry_after_s, limited.passes) == ("Too often.", 7, True)
    wrong = refusal(422, json={"detail": "/limit: too large"})
    assert (str(wrong), wrong.retry_after_s, wrong.passes) == ("/limit: too large", None, False)
    strange = refusal(502, text="<html>bad gateway</html>", headers={"Retry-After": "Fri, 27 Nov 2026 10:00:00 GMT"})
    assert (str(strange), strange.retry_after_s, strange.passes) == ("The API answered 502.", None, True)
    assert refusal(503, json={"detail": "x"}, headers={"Retry-After": "99999"}).retry_after_s == 600


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ConnectError("10.0.0.7:18080 refused"), "nothing listens at its address"),
        (httpx.ReadTimeout("slow"), "it did not answer in time"),
        (httpx.RemoteProtocolError("cut"), "the connection broke off"),
    ],
)
def test_an_api_that_is_away_is_told_without_its_address(error: Exception, told: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(ApiAwayError, match=told):
        asyncio.run(client(fail).get("/v1/stats"))
