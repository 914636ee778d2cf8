"""Servers in a thread, for tests that need real connections."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from local import ports


@contextmanager
def listening(app: Any) -> Iterator[tuple[uvicorn.Server, str]]:
    """An ASGI application on a port of its own, and its address, until the block ends."""
    (port,) = ports.find_free(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=10))
    with running(server):
        yield server, f"http://127.0.0.1:{port}"


@contextmanager
def running(server: uvicorn.Server) -> Iterator[None]:
    """The server answers until the block ends; then it shuts down in order."""
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
