"""An ASGI application on a port of its own, for tests that need real connections."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from local import ports


@contextmanager
def listening(app: Any, grace_s: int = 10) -> Iterator[tuple[uvicorn.Server, str]]:
    """The server and its address, until the block ends; then it shuts down in order."""
    (port,) = ports.find_free(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=grace_s))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield server, f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(grace_s + 10)
        assert not thread.is_alive()
