"""The API as it is served: behind the real server in a thread, or as the real process."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from api import server as serving
from freshet.settings import CHECKOUT, PREFIX
from local import ports
from tests.serving import running

NOWHERE = "postgresql://127.0.0.1:1/nothing?connect_timeout=1"
NO_POSTGRES = SecretStr(NOWHERE)


@contextmanager
def served(app: FastAPI) -> Iterator[tuple[uvicorn.Server, int]]:
    """The application behind the real server until the block ends, and the port."""
    (port,) = ports.find_free(1)
    server = serving.make(app, "127.0.0.1", port)
    with running(server):
        yield server, port


@contextmanager
def process(folder: Path, **settings: object) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`python -m api` with these settings, once it answers, and its address. Its log is `folder/api.log`."""
    (port,) = ports.find_free(1)
    given = {"state_dir": folder, "api_port": port, "postgres_dsn": NOWHERE, **settings}
    environment = {**os.environ, **{f"{PREFIX}{name.upper()}": str(value) for name, value in given.items()}}
    url = f"http://127.0.0.1:{port}"
    with (folder / "api.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "api"], cwd=CHECKOUT, env=environment, stderr=log)

    @retry(retry=retry_if_exception_type(httpx.TransportError), wait=wait_fixed(0.1), stop=stop_after_delay(60))
    def until_alive() -> None:
        assert child.poll() is None, (folder / "api.log").read_text()[-3000:]
        assert httpx.get(f"{url}/healthz").status_code == 200

    try:
        until_alive()
        yield child, url
    finally:
        child.kill()
        child.wait()


def say(port: int, *parts: bytes) -> bytes:
    """Send these bytes, and what comes back: one whole answer, or all until the server closes."""
    received = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        suppress(ConnectionResetError, BrokenPipeError),
    ):
        for part in parts:
            connection.sendall(part)
        while not _is_whole(received) and (more := connection.recv(65536)):
            received += more
    return received


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length: ")
    return bool(found) and len(body) >= int(rest.split(b"\r\n")[0])
