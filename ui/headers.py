"""What a browser may do with a page: load what comes from here, and nothing else. Pages of elsewhere may do nothing."""

from collections.abc import Sequence
from typing import Final

from starlette import datastructures
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from freshet import hosts

# Gradio writes scripts into its page and makes functions of templates, so both must be allowed; whatever a script
# would do, it cannot fetch, send or show anything of another host.
POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_SCRIPTS: Final = ("page", "stream", "clock", "badge", "feed", "row", "question", "trace", "theme")
# Gradio puts the page's scripts in only when it runs itself; they are fetched while it loads.
PRELOADED: Final = ", ".join(f"</freshet/{name}.js>; rel=modulepreload" for name in _SCRIPTS)


class Headers:
    """Adds them to every response, and refuses what another site's page asks for."""

    def __init__(self, app: ASGIApp, names: Sequence[str] = ()) -> None:
        self.app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if scope["path"] == "/":
                    headers["Link"] = PRELOADED
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await (self._refusal(scope) or self.app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        asked = datastructures.Headers(scope=scope)
        if not hosts.is_ours(asked.get("host", ""), self._names):
            return PlainTextResponse("FRESHET_ALLOWED_HOSTS has the names by which the pages may be addressed.\n", 421)
        if hosts.is_of_elsewhere(scope["method"], asked, self._names):
            return PlainTextResponse("Pages of other sites may link to here, and nothing else.\n", 403)
        return None
