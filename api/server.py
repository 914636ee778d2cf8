"""The HTTP server: uvicorn, with bounds on what a connection may do besides asking and reading."""

import asyncio
import json
import math
import resource
import socket
import uuid
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api import problems
from freshet.telemetry import logs

GRACE_S: Final = 5.0
"""How long what is under way may take when the server ends, at least."""

HEAD_S: Final = 10.0
MAX_HEAD_BYTES: Final = 64 * 1024
_PART_BYTES: Final = 16 * 1024

IDLE_S: Final = 75
"""A connection between two requests is kept so long: longer than clients keep theirs (aiohttp 15 s, httpx 5 s), so that
none is closed under a request that is on its way."""

BACKLOG: Final = 2048
"""Connections that wait to be accepted: uvicorn's own number."""

MOST_CONNECTIONS: Final = 1_000
"""Of one address. Those beyond are closed as they come, so that others find the process able to accept."""

MOST_FILES: Final = 16_384

UNREAD_S: Final = 60.0
"""Whoever reads nothing for so long of an answer or a stream that waits for it is cut off."""


def allow_files() -> None:
    """Let this process have as many files open as it may, up to MOST_FILES: often it is a thousand unless asked for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def sockets(host: str, port: int, also_at: int) -> list[socket.socket] | None:
    """Where one of several processes listens: at the port that they share, among whom the kernel divides connections
    (on Linux; elsewhere the newest gets them), and at one of its own. None for a process that is alone."""
    if not also_at:
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return [
        socket.create_server((host, port), family=family, reuse_port=True, backlog=BACKLOG),
        socket.create_server((host, also_at), family=family, backlog=BACKLOG),
    ]


def make(app: FastAPI, host: str, port: int, grace_s: float = GRACE_S) -> uvicorn.Server:
    """A server that tells the application when it is ending."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Connection,
            ws="none",
            # a client is who connects: what a header says of it could be anything
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=math.ceil(grace_s),
        )
    )
    app.state.ending = lambda: server.should_exit
    return server


class Connection(HttpToolsProtocol):
    """A connection whose request line and headers must come within HEAD_S and MAX_HEAD_BYTES, whose client must read,
    and whose answers to what is no HTTP are problem documents as well.

    uvicorn bounds none of it: its only time-out is between two requests, and its `limit_concurrency` refuses everybody
    as soon as enough connections do nothing.
    """

    _overdue: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()
        if sum(self._has_our_address(one) for one in self.connections) > MOST_CONNECTIONS:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on in small parts, and see after each what is there now."""
        for begin in range(0, len(data), _PART_BYTES):
            if self.transport.is_closing():
                return
            part = data[begin : begin + _PART_BYTES]
            super().data_received(part)
            if self._in_head:
                self._head_bytes += len(part)
                if self._head_bytes > MAX_HEAD_BYTES:
                    self._refuse(431, f"The request line and the headers have at most {MAX_HEAD_BYTES} bytes.")
        # Also for the rest of a body that is refused already: it is read so that the refusal arrives, but not for ever.
        if self._overdue is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is written to: uvicorn lets whoever writes wait."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """It has read most of it."""
        super().resume_writing()
        self._stop_watching()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """From here on the request is the application's."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's own answer to what it cannot read."""
        self._refuse(400, msg)

    def _has_our_address(self, other: object) -> bool:
        if not (isinstance(other, Connection) and other.client and self.client):
            return False
        return other.client[0] == self.client[0]

    def _wait(self) -> None:
        self._overdue = self.loop.call_later(HEAD_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        if self._in_head:
            self._refuse(408, f"The request line and the headers did not arrive within {HEAD_S:g} s.")
        self.transport.close()

    def _watch(self) -> None:
        self._unread = self.loop.call_later(
            UNREAD_S, self._see_whether_it_reads, self.transport.get_write_buffer_size()
        )

    def _stop_watching(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _see_whether_it_reads(self, waiting: int) -> None:
        if self.transport.get_write_buffer_size() < waiting:
            self._watch()
        else:
            self.transport.abort()

    def _refuse(self, status: int, detail: str) -> None:
        """Answer without the application, unless an answer is under way, and close."""
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not begun and not self.pipeline and not self.transport.is_closing():
            request_id = uuid.uuid4().hex
            logs.get().info("refused before it was a request", request_id=request_id, status=status, detail=detail)
            body = json.dumps(problems.describe(status, detail, request_id)).encode()
            headers = [
                *self.server_state.default_headers,
                *((name.lower().encode(), value.encode()) for name, value in problems.BROWSERS.items()),
                (b"content-type", problems.MEDIA_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", request_id.encode()),
                (b"connection", b"close"),
            ]
            head = b"".join(b"%b: %b\r\n" % header for header in headers)
            self.transport.write(STATUS_LINE[status] + head + b"\r\n" + body)
        self.transport.close()
