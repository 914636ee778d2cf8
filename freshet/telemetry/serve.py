"""A room's own little HTTP server: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever supervises it."""

from collections.abc import Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app

from freshet.telemetry import metrics


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are not worth a line."""


def serve_metrics(host: str, port: int, room: metrics.Room) -> None:
    """Answer on host:port in a daemon thread, with the metrics of this room.

    `/readyz` is 200 once `metrics.READY` is 1, else 503.
    """
    metrics.only(room)
    exposition = make_wsgi_app()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            page: Iterable[bytes] = exposition(environ, start_response)
            return page
        ready = path == "/healthz" or (path == "/readyz" and metrics.READY._value.get() == 1)
        start_response("200 OK" if ready else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"ok\n" if ready else b"not ready\n"]

    server = make_server(host, port, application, handler_class=_Quiet)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
