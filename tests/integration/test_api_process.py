"""The real process: it ends what is under way, and neither bad requests nor slow readers fill its memory."""

import itertools
import json
import re
import signal
import socket
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from confluent_kafka import Producer

from api.feed.hub import BUFFER
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
    size, count = 5_000, 40 * BUFFER
    with process(tmp_path, kafka_bootstrap_servers=settings.bootstrap_servers) as (api, url):
        host, _, port = url.removeprefix("http://").partition(":")
        with (
            socket.socket() as unread,
            httpx.stream("GET", f"{url}/v1/feed", params={"wiki": "last"}, timeout=60) as other,
        ):
            unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            unread.connect((host, int(port)))
            unread.sendall(b"GET /v1/feed?wiki=big HTTP/1.1\r\nHost: here\r\n\r\n")
            assert unread.recv(100).startswith(b"HTTP/1.1 200")
            before = psutil.Process(api.pid).memory_info().rss
            produce(settings, "big", size, count)
            produce(settings, "last", 1, 1)
            next(line for line in other.iter_lines() if line.startswith("data: "))
            kept_mb = (psutil.Process(api.pid).memory_info().rss - before) / 1e6
            assert kept_mb < size * count / 1e6 / 2
            assert skipped(unread) > 0


def produce(settings: Settings, wiki: str, size: int, count: int) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 20})
    for number in range(count):
        value = json.dumps({"event_id": f"{wiki}-{number}-{id(producer)}", "wiki": wiki, "comment": "x" * size})
        producer.produce(topics.SILVER, value.encode(), partition=0)
        if number % 1000 == 0:
            producer.flush(30)
    assert producer.flush(60) == 0


def skipped(connection: socket.socket) -> int:
    """Read on until the stream says how many events were skipped."""
    connection.settimeout(30)
    text = b""
    while not (found := re.search(rb'event: gap\ndata: \{"skipped": ?(\d+)\}', text)):
        text = text[-200:] + connection.recv(65536)
    return int(found[1])
