"""What a browser may do with a page: load what comes from here, and nothing else."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_SCRIPTS: Final = ("page", "stream", "clock", "badge", "feed", "row", "question", "trace", "theme")
# Gradio puts the page's scripts in only when it runs itself; they are fetched while it loads.
PRELOADED: Final = ", ".join(f"</freshet/{name}.js>; rel=modulepreload" for name in _SCRIPTS)


class Headers:
    """Adds them to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if scope["path"] == "/":
                    headers["Link"] = PRELOADED
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)
