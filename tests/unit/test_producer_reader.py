"""The reader against a small server of the test's own: what it asks for, when it comes back, how it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from prometheus_client import REGISTRY

from freshet.errors import PermanentError
from freshet.settings import Settings, load_settings
from producer.connection import Reader
from producer.resume import rewound

ID = '[{"topic":"eqiad.x","partition":0,"timestamp":%d}]'


class Server(ThreadingHTTPServer):
    """Answers the nth request with the nth of its answers: a status, or the ids of the frames to send."""

    daemon_threads = True

    def __init__(self, answers: list[int | list[str]], *, silent: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.silent = silent
        self.over = Event()
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []

    @property
    def settings(self) -> Settings:
        return load_settings(stream_url=f"http://127.0.0.1:{self.server_port}/", rewind_ms=100, stall_timeout_s=60)


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers))
        self.server.paths.append(self.path)
        answer = self.server.answers[len(self.server.headers) - 1]
        self.send_response(200 if isinstance(answer, list) else answer)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for sse_id in answer if isinstance(answer, list) else []:
            self.wfile.write(f"id: {sse_id}\ndata: {{}}\n\n".encode())
        if self.server.silent:
            self.server.over.wait(60)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""


@contextmanager
def serving(answers: list[int | list[str]], *, silent: bool = False) -> Iterator[Server]:
    server = Server(answers, silent=silent)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_lost_connection_goes_on_from_the_last_frame_rewound() -> None:
    with serving([[ID % 5000, ID % 6000], [ID % 7000]]) as server:
        reader = Reader(server.settings, rewound(ID % 900, 0))
        stream = reader.frames()
        assert [next(stream).id for _ in range(3)] == [ID % 5000, ID % 6000, ID % 7000]
        stream.close()
    assert [headers["Last-Event-ID"] for headers in server.headers] == [ID % 800, ID % 5900]
    assert server.headers[0]["User-Agent"].startswith("Freshet/")


def test_a_stream_that_goes_on_later_than_asked_has_a_gap_that_is_counted() -> None:
    def counted(name: str) -> float:
        return REGISTRY.get_sample_value(f"freshet_producer_resume_{name}_total") or 0

    gaps, seconds = counted("gaps"), counted("gap_seconds")
    with serving([[ID % 5000, ID % 900_000], [ID % 4_000_000]]) as server:
        stream = Reader(server.settings, ID % 4900).frames()
        assert len([next(stream) for _ in range(3)]) == 3
        stream.close()
    assert counted("gaps") == gaps + 1
    assert counted("gap_seconds") == seconds + 3100


def test_a_throttled_or_failing_server_is_asked_again() -> None:
    with serving([429, 500, [ID % 5000]]) as server:
        stream = Reader(server.settings, None).frames()
        assert next(stream).id == ID % 5000
        stream.close()
    assert "Last-Event-ID" not in server.headers[0]


def test_a_refusal_ends_the_reading_with_what_to_do() -> None:
    with serving([403]) as server, pytest.raises(PermanentError, match="FRESHET_CONTACT"):
        next(Reader(server.settings, None).frames())


def test_a_stop_ends_the_reading_of_a_silent_server() -> None:
    with serving([[ID % 5000]], silent=True) as server:
        reader = Reader(server.settings, None)
        received = Event()

        def read() -> None:
            for _ in reader.frames():
                received.set()

        thread = Thread(target=read)
        thread.start()
        assert received.wait(30)
        reader.stop()
        thread.join(30)
        assert not thread.is_alive()
