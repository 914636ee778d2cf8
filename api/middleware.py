"""Around every request: its id, its log line, its time, and the bound on its body."""

import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from freshet.telemetry import logs, metrics

MAX_BODY_BYTES: Final = 64 * 1024
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

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, identified)
            finally:
                _record(scope, status, time.perf_counter() - begun)


class BodyLimit:
    """Ends the reading of a body beyond the limit with 413, whether or not its length was announced."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
                raise _too_large()
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY_BYTES:
                raise _too_large()
            return message

        await self.app(scope, bounded, send)


def _too_large() -> HTTPException:
    return HTTPException(413, f"A body has at most {MAX_BODY_BYTES} bytes.")


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.REQUESTS.labels(route, method, status).observe(seconds)
    log = logs.get().info if route.startswith("/v1/") else logs.get().debug
    log("request", route=route, method=method, status=status, ms=round(seconds * 1000, 1))
