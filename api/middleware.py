"""Around every request: its id, its log line, its time, and the bounds on its body."""

import asyncio
import re
import time
import uuid
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Final

import structlog
from opentelemetry.trace import INVALID_SPAN, Span
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.clients import GUARDED
from freshet.telemetry import logs, metrics, traces

MAX_BODY_BYTES: Final = 64 * 1024
BODY_S: Final = 10.0
TOO_LARGE: Final = f"A body has at most {MAX_BODY_BYTES} bytes."
CLOSE: Final = {"Connection": "close"}
_REQUEST_ID: Final = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """Gives each request an id (the caller's `X-Request-ID` if it is sound), and measures it by route template."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status, begun = 500, time.perf_counter()

        async def identified(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with _traced(scope) as span, structlog.contextvars.bound_contextvars(**_ids(request_id, span)):
            try:
                await self.app(scope, receive, identified)
            finally:
                _record(scope, status, time.perf_counter() - begun, span)


class BodyLimit:
    """Ends the reading of a body beyond the limit with 413, whether or not its length was announced, and of one that
    does not arrive in time with 408."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
            await problems.respond(Request(scope), 413, TOO_LARGE)(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + BODY_S
        taken, whole, answering = 0, False, False

        async def bounded() -> Message:
            nonlocal taken, whole
            try:
                async with asyncio.timeout_at(None if whole else deadline):
                    message = await receive()
            except TimeoutError:
                # Once an answer has begun, what comes of a body is not looked at: only the connection's end is.
                if answering:
                    return await receive()
                raise HTTPException(408, f"The body did not arrive within {BODY_S:g} s.", CLOSE) from None
            taken += len(message.get("body", b""))
            whole = not message.get("more_body")
            if taken > MAX_BODY_BYTES and not answering:
                raise HTTPException(413, TOO_LARGE)
            return message

        async def noticed(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        await self.app(scope, bounded, noticed)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _traced(scope: Scope) -> AbstractContextManager[Span]:
    """Until the last byte is sent, of a stream as well. What is asked all the time, for health and metrics, is not."""
    if scope["path"].startswith(GUARDED):
        return traces.continued(Headers(scope=scope), _method(scope))
    return nullcontext(INVALID_SPAN)


def _ids(request_id: str, span: Span) -> dict[str, str]:
    trace_id = traces.trace_id(span)
    return {"request_id": request_id, **({"trace_id": trace_id} if trace_id else {})}


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


def _record(scope: Scope, status: int, seconds: float, span: Span) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = _method(scope)
    metrics.REQUESTS.labels(route, method, status).observe(seconds)
    log = logs.get().info if scope["path"].startswith(GUARDED) else logs.get().debug
    log("request", route=route, method=method, status=status, ms=round(seconds * 1000, 1))
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "freshet.request_id": scope["state"]["request_id"],
        }
    )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        traces.fail(str(status), span)
