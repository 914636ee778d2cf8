"""The API, as the pages speak to it: JSON, and server-sent events."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing
from typing import Any, Final

import httpx
from httpx_sse import EventSource, ServerSentEvent
from opentelemetry.trace import Span, SpanKind

from freshet.errors import FreshetError
from freshet.settings import Settings
from freshet.telemetry import traces

TIMEOUT_S: Final = 10.0
SILENCE_S: Final = 40.0
"""A stream says something every 15 s; one that says nothing for longer is lost."""

LONGEST_WAIT_S: Final = 600
_STREAM: Final = httpx.Timeout(TIMEOUT_S, read=SILENCE_S)


class ApiAwayError(FreshetError):
    """The API cannot be reached, or broke off."""


class RefusedError(FreshetError):
    """The API answered with a problem document. `retry_after_s` is None where it names no time."""

    def __init__(self, status: int, detail: str, retry_after_s: int | None) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in (429, 502, 503, 504)


class Client:
    """One a process. Every call raises ApiAwayError or RefusedError."""

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key.get_secret_value()
        self._http = httpx.AsyncClient(
            base_url=settings.api_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=TIMEOUT_S,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """What a route answers."""
        return await self._call("GET", path, params=parameters)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a route answers to a body."""
        return await self._call("POST", path, json=body)

    async def ask(self, body: Mapping[str, Any]) -> AsyncGenerator[tuple[str, Any]]:
        """The events of an answer: name and data. To close it ends the API's work on it."""
        async with aclosing(self._events("POST", "/v1/ask/stream", json=body)) as events:
            async for event in events:
                yield event.event, event.json()

    async def feed(self, recent: int, last_event_id: str) -> AsyncGenerator[ServerSentEvent]:
        """Edits as they come, after the last that was read, or from the newest `recent` on."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        async with aclosing(self._events("GET", "/v1/feed", params={"recent": recent}, headers=headers)) as events:
            async for event in events:
                yield event

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        with _traced(method) as span:
            try:
                response = await self._http.request(method, path, headers=traces.headers(span), **request)
                _note(span, response)
                _raise_for(response)
                return dict(response.json())
            except (httpx.HTTPError, ValueError) as error:
                raise ApiAwayError(_reason(error)) from error

    async def _events(self, method: str, path: str, **request: Any) -> AsyncGenerator[ServerSentEvent]:
        with _traced(method) as span:
            request["headers"] = {**request.get("headers", {}), **traces.headers(span)}
            try:
                async with self._http.stream(method, path, timeout=_STREAM, **request) as response:
                    _note(span, response)
                    if response.is_error:
                        await response.aread()
                        _raise_for(response)
                    async for event in EventSource(response).aiter_sse():
                        # a comment that keeps a stream alive comes as an event without data
                        if event.data:
                            yield event
            except (httpx.HTTPError, ValueError) as error:
                raise ApiAwayError(_reason(error)) from error


def _traced(method: str) -> AbstractContextManager[Span]:
    return traces.span(method, {"http.request.method": method}, kind=SpanKind.CLIENT, current=False)


def _note(span: Span, response: httpx.Response) -> None:
    span.set_attribute("http.response.status_code", response.status_code)
    # a path may have an id in it: the server's span has the route
    span.set_attribute("server.address", response.request.url.host)


def _raise_for(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"The API answered {response.status_code}."
    raise RefusedError(response.status_code, detail, _seconds(response.headers.get("Retry-After", "")))


def _seconds(text: str) -> int | None:
    return min(int(text), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else None


def _reason(error: Exception) -> str:
    """In words of this process: what the library says may name addresses."""
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time"
    if isinstance(error, httpx.ConnectError):
        return "nothing listens at its address"
    return "the connection broke off"
