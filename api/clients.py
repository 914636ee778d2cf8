"""Who asks: the key that a request under /v1 must show, how often one client may ask, and how much at once."""

import hmac
import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import limits
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.asker import CLIENT
from freshet import keys

GUARDED: Final = "/v1/"


class Clients:
    """Refuses whoever has no key, where keys are asked for, and whoever asks too often or too much at once.

    It stands before the routes, because FastAPI reads a body whole before it looks at any dependency: a stranger's body
    is not waited for, and malformed requests count like all others.
    """

    def __init__(self, app: ASGIApp, entries: Sequence[str] = (), rate: str = "", at_once: int = 0) -> None:
        self.app = app
        self._entries = [entry for text in entries if (entry := keys.read(text))]
        self._rate = _Rate(rate) if rate else None
        self._at_once = at_once
        self._under_way: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        name = self._name(request.headers.get("authorization", ""))
        # X-Forwarded-For is not believed: anybody can write it.
        client = ("key", name) if name else ("address", request.client.host if request.client else "")
        if refusal := self._refusal(request, name, client):
            await refusal(scope, receive, send)
            return
        CLIENT.set(" ".join(client))
        self._under_way[client] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]

    def _refusal(self, request: Request, name: str | None, client: tuple[str, str]) -> Response | None:
        # Before the key is asked for, so that strangers are bounded too.
        if self._rate and (wait_s := self._rate.hit(client)):
            detail = f"More than {self._rate.item}; try again in {wait_s} s."
            return problems.respond(request, 429, detail, {"Retry-After": str(wait_s)})
        if self._entries and name is None:
            detail = "This needs a key of this API: Authorization: Bearer KEY."
            return problems.respond(request, 401, detail, {"WWW-Authenticate": "Bearer"})
        if self._at_once and self._under_way[client] >= self._at_once:
            detail = f"{self._at_once} requests of yours are under way, streams among them; end some, or wait."
            return problems.respond(request, 429, detail, {"Retry-After": "1"})
        return None

    def _name(self, authorization: str) -> str | None:
        scheme, _, key = authorization.partition(" ")
        given = keys.digest(key.strip() if scheme.lower() == "bearer" else "")
        # All are compared, each in constant time: how long it takes tells nothing about any of them.
        names = [entry.name for entry in self._entries if hmac.compare_digest(entry.sha256, given)]
        return names[0] if names else None


class _Rate:
    """How often one client may ask: two counters a client (0.3 KB) in this process' memory.

    Measured: 9 us a request. Fixed windows take 5, but let twice the limit through around an edge; a moving window
    takes 80 and keeps every request. Forgetting clients that are gone takes 0.4 ms, 3 ms with 20,000 of them: this
    storage does so in a thread and at most a hundred times a second, the asynchronous one at every request.
    """

    def __init__(self, rate: str) -> None:
        self.item = limits.parse(rate)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def hit(self, client: tuple[str, str]) -> int:
        """0 when the client may ask now, else after how many seconds."""
        if self._limiter.hit(self.item, *client):
            return 0
        window = self._limiter.get_window_stats(self.item, *client)
        return max(1, math.ceil(window.reset_time - time.time()))
