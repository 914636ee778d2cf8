"""What a browser is told of every answer, and by which names the API may be addressed."""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from freshet import hosts

DOCS: Final = "/docs"
# its script and style are not ours
DOCS_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'unsafe-inline' https://cdn.jsdelivr.net",
        "style-src 'unsafe-inline' https://cdn.jsdelivr.net",
        "img-src 'self' data: https://fastapi.tiangolo.com",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


class Browsers:
    """Refuses requests to a name that is not ours, and adds the headers."""

    def __init__(self, app: ASGIApp, names: Sequence[str] = ()) -> None:
        self.app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"] == DOCS:
                    headers["Content-Security-Policy"] = DOCS_POLICY
                for name, value in problems.BROWSERS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self.app
        if not hosts.is_ours(Headers(scope=scope).get("host", ""), self._names):
            detail = "This API is not known by that name. FRESHET_ALLOWED_HOSTS has the names it may be addressed by."
            app = problems.respond(Request(scope), 421, detail)
        await app(scope, receive, told)
