"""The real process: it ends what is under way, and neither bad requests nor slow readers fill its memory."""

import itertools
import json
import re
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from confluent_kafka import Producer

from api.feed.hub import BUFFER, RECENT
from freshet.contract import topics
from freshet.settings import Settings
from tests.api_serving import process

pytestmark = pytest.mark.integration

BAD: tuple[bytes, ...] = (
    b"good day\r\n\r\n",
    b"GET /nowhere HTTP/1.1\r\nHost: here\r\n\r\n",
    b"DELETE /v1/search HTTP/1.1\r\nHost: here\r\n\r\n",
    b"GET /v1/documents/%00 HTTP/1.1\r\nHost: here\r\n\r\n",
    b"GET /v1/stats?most=many HTTP/1.1\r\nHost: here\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n",
    b"POST /v1/search HTTP/1.1\r\nHost: here\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 10_000,
    b"POST /v1/search HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60_000,
    b"POST /v1/search HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n" + b'{"a": 1}\x00',
    b"POST /v1/search HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    b"GET /v1/stats HTTP/1.1\r\nX: ",
)
MORE_MB = 10
ROUND = 500
EVENT_BYTES = 20_000


def test_an_open_stream_ends_whole_and_the_process_well_when_it_is_told_to_end(
    settings: Settings, tmp_path: Path
) -> None:
    with (
        process(tmp_path, kafka_bootstrap_servers=settings.bootstrap_servers) as (api, url),
        httpx.stream("GET", f"{url}/v1/feed", timeout=60) as response,
    ):
        assert response.status_code == 200
        api.send_signal(signal.SIGTERM)
        # httpx raises RemoteProtocolError when a chunked body is cut off instead of ended
        response.read()
        assert api.wait(timeout=30) == 0, (tmp_path / "api.log").read_text()


def test_thousands_of_bad_requests_leave_the_memory_as_it_was(tmp_path: Path) -> None:
    with process(tmp_path, log_level="error") as (api, url):
        port = int(url.rpartition(":")[2])
        send_bad_ones(port, 1500)
        before = psutil.Process(api.pid).memory_info().rss
        send_bad_ones(port, 3000)
        grown_mb = (psutil.Process(api.pid).memory_info().rss - before) / 1e6
        assert httpx.get(f"{url}/healthz").text == "ok\n"
    assert grown_mb < MORE_MB


def send_bad_ones(port: int, count: int) -> None:
    """Bad requests of every kind in turn, on a connection each; the answer is read, or the client just goes."""
    for number, request in enumerate(itertools.islice(itertools.cycle(BAD), count)):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
            suppress(ConnectionResetError, BrokenPipeError),
        ):
            connection.sendall(request)
            if number % 2 and not request.endswith((b"{", b"X: ")):
                connection.recv(65536)


def test_a_client_that_does_not_read_its_stream_fills_neither_memory_nor_anybody_elses_stream(
    settings: Settings, tmp_path: Path
) -> None:
    with (
        process(tmp_path, kafka_bootstrap_servers=settings.bootstrap_servers) as (api, url),
        httpx.stream("GET", f"{url}/v1/feed", timeout=60) as other,
        socket.socket() as unread,
    ):
        arriving = other.iter_raw()
        # so many that the feed's own memory of the newest events is full
        for _ in range(RECENT // ROUND):
            send_through(settings, arriving)
        unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        unread.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        unread.sendall(b"GET /v1/feed HTTP/1.1\r\nHost: here\r\n\r\n")
        assert unread.recv(100).startswith(b"HTTP/1.1 200")
        before = psutil.Process(api.pid).memory_info().rss
        # the feed keeps BUFFER events for a listener, and as many are on their way to it
        rounds = 8 * BUFFER // ROUND
        for _ in range(rounds):
            send_through(settings, arriving)
        kept_mb = (psutil.Process(api.pid).memory_info().rss - before) / 1e6
        assert kept_mb < rounds * ROUND * EVENT_BYTES / 1e6 / 2
        assert skipped(unread) > 0


def send_through(settings: Settings, arriving: Iterator[bytes]) -> None:
    """Fewer events than the feed keeps for a listener, and all of them have come through when this returns."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 20})
    for _ in range(ROUND):
        value = json.dumps({"event_id": uuid.uuid4().hex, "comment": "x" * EVENT_BYTES})
        producer.produce(topics.SILVER, value.encode(), partition=0)
    assert producer.flush(60) == 0
    text, come = b"", 0
    while come < ROUND:
        text += next(arriving)
        come += text.count(b"event: edit\n")
        text = text[-10:] if not text.endswith(b"event: edit\n") else b""


def skipped(connection: socket.socket) -> int:
    """Read on until the stream says how many events were skipped."""
    connection.settimeout(30)
    text = b""
    while not (found := re.search(rb'event: gap\ndata: \{"skipped": ?(\d+)\}', text)):
        text = text[-200:] + connection.recv(65536)
    return int(found[1])
