"""Whatever a client sends, it gets a problem document or a clean end: over raw connections to the real server."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import NoReturn

import pytest
import uvicorn
from starlette.responses import StreamingResponse
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from api import middleware, turns
from api import server as serving
from api.app import create_app
from api.middleware import MAX_BODY_BYTES
from api.server import MAX_HEAD_BYTES
from freshet import keys
from freshet.settings import load_settings
from tests.api_builders import BagOfWords
from tests.api_serving import NO_POSTGRES, say, served

pytestmark = pytest.mark.integration

JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The API without Postgres: what is wrong with a request is said before that is asked. 503 is for the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "WAIT_S", 0.05)
        with served(create_app(load_settings(postgres_dsn=NO_POSTGRES), BagOfWords())) as (_, port):
            yield port


def get(path: bytes, headers: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n"


def post(body: bytes, headers: bytes = JSON, path: bytes = b"/v1/search") -> bytes:
    return get(path, headers + b"Content-Length: %d\r\n" % len(body), b"POST") + body


def search(query: str) -> bytes:
    """A search whose query is written as JSON already."""
    return post(b'{"query": ' + query.encode() + b"}")


def problem(answer: bytes, status: int) -> dict[str, str]:
    """The headers of an answer that is a problem document of this status."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert first.split(" ")[1] == str(status), answer
    assert headers["content-type"] == "application/problem+json"
    said = json.loads(body)
    assert said["status"] == status
    assert said["request_id"] == headers["x-request-id"]
    return headers


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(post(b"{"), 422, id="JSON that is cut off"),
        pytest.param(post(b""), 422, id="no body"),
        pytest.param(post(b"null"), 422, id="null"),
        pytest.param(post(b"[]"), 422, id="an array"),
        pytest.param(post(b'{"query": "a"} {}'), 422, id="two documents"),
        pytest.param(post(b'{"query": "a"}', b""), 422, id="no content type"),
        pytest.param(post(b'{"query": "a"}', b"Content-Type: text/plain\r\n"), 422, id="text"),
        pytest.param(post(b"query=a", b"Content-Type: application/x-www-form-urlencoded\r\n"), 422, id="a form"),
        pytest.param(post(b'{"query": "a"}', b"Content-Type: \xff/\xfe;=;\r\n"), 422, id="a type that is none"),
        pytest.param(post(b'{"query": "\xff"}'), 400, id="invalid UTF-8"),
        pytest.param(post(b'{"query": "\xed\xa0\x80"}'), 422, id="a surrogate in UTF-8"),
        pytest.param(post('{"query": "a"}'.encode("utf-16")), 503, id="UTF-16, which JSON may be"),
        pytest.param(search('"\\u0000"'), 422, id="NUL"),
        pytest.param(search('"a", "filters": {"wikis": ["\\u0000"]}'), 422, id="NUL in a filter"),
        pytest.param(search('"\\ud800"'), 422, id="half a surrogate"),
        pytest.param(search('"a", "\\ud800": 1'), 422, id="half a surrogate in a name"),
        pytest.param(search('"a", "a~b/c\\u0000": 1'), 422, id="NUL in a name"),
        pytest.param(search('" \\t\\n "'), 422, id="nothing but spaces"),
        pytest.param(search("[" * 20_000 + "]" * 20_000), 400, id="nested too deeply"),
        pytest.param(search('{"a":' * 900 + "1" + "}" * 900), 422, id="nested deeply"),
        pytest.param(search('"a", "limit": 1e400'), 422, id="a number beyond all"),
        pytest.param(search('"a", "limit": NaN'), 422, id="not a number"),
        pytest.param(search('"a", "limit": ' + "9" * 5000), 400, id="a number of 5,000 digits"),
        pytest.param(search('"a", "limit": "5"'), 422, id="a number as text"),
        pytest.param(search('"a", "limit": true'), 422, id="a truth for a number"),
        pytest.param(search('"a", "filters": {"since": 0}'), 422, id="a number for a time"),
        pytest.param(search('"a", "filters": {"since": "0"}'), 422, id="a number as text for a time"),
        pytest.param(search('"a", "filters": {"namespaces": [1e99]}'), 422, id="a namespace beyond all"),
        pytest.param(get(b"/v1/documents/%00"), 422, id="NUL in a path"),
        pytest.param(get(b"/v1/documents/%zz%"), 503, id="no percent-encoding, so it is taken as it is"),
        pytest.param(get(b"/v1/documents/%ff%fe"), 503, id="no UTF-8 in a path: letters that stand for the unknown"),
        pytest.param(get(b"/v1/documents/\xff"), 400, id="bytes in a path that may not be there"),
        pytest.param(get(b"/v1/documents/" + b"a" * 201), 422, id="a long id"),
        pytest.param(get(b"/v1/stats?most=%ff"), 422, id="no UTF-8 in a query"),
        pytest.param(get(b"/v1/stats?most=1&most=x"), 422, id="a parameter twice"),
        pytest.param(get(b"/v1/stats?window_minutes=" + b"9" * 5000), 422, id="a long number in a query"),
        pytest.param(get(b"/v1/feed?wiki=%00"), 422, id="NUL in a query"),
        pytest.param(get(b"/" + b"a" * MAX_HEAD_BYTES * 2), 431, id="an address too long"),
        pytest.param(get(b"/", b"X: " + b"a" * MAX_HEAD_BYTES * 2 + b"\r\n"), 431, id="a header too long"),
        pytest.param(get(b"/", b"X: a\r\n" * MAX_HEAD_BYTES), 431, id="too many headers"),
        pytest.param(get(b"/nowhere"), 404, id="an unknown path"),
        pytest.param(get(b"/v1/search/"), 404, id="a path with a slash too many"),
        pytest.param(get(b"//v1/stats"), 404, id="another path with a slash too many"),
        pytest.param(get(b"/v1/../v1/stats"), 404, id="a path with dots"),
        pytest.param(get(b"/v1/stats", b"Content-Length: 1\r\nContent-Length: 2\r\n"), 400, id="two lengths"),
        pytest.param(get(b"/v1/stats", b"Content-Length: -1\r\n"), 400, id="a negative length"),
        pytest.param(get(b"/v1/search", JSON + CHUNKED, b"POST") + b"ZZ\r\n", 400, id="a chunk without a length"),
        pytest.param(get(b"/v1/stats", b"A\x00: b\r\n"), 400, id="NUL in a header's name"),
        pytest.param(get(b"/v1/stats", b"A: \x00\r\n"), 400, id="NUL in a header"),
        pytest.param(get(b"/v1/stats", method=b"BREW"), 400, id="a method that is none"),
        pytest.param(get(b"here:80", method=b"CONNECT"), 400, id="CONNECT"),
        pytest.param(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400, id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2"),
        pytest.param(b"good day\r\n\r\n", 400, id="no HTTP at all"),
    ],
)
def test_what_is_malformed_is_answered_with_a_problem(port: int, sent: bytes, status: int) -> None:
    problem(say(port, sent), status)


@pytest.mark.parametrize("method", [b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE", b"PURGE"])
@pytest.mark.parametrize(("path", "allowed"), [(b"/v1/search", "POST"), (b"/v1/stats", "GET"), (b"/healthz", "GET")])
def test_a_wrong_method_names_the_right_one(port: int, method: bytes, path: bytes, allowed: str) -> None:
    answer = say(port, get(path, b"Connection: close\r\n", method))
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nallow: " + allowed.encode() in answer
    if method != b"HEAD":
        problem(answer, 405)


@pytest.mark.parametrize(
    "head",
    [
        get(b"/v1/search", JSON + b"Content-Length: 1000000000\r\n", b"POST"),
        get(b"/v1/search", JSON + CHUNKED, b"POST"),
    ],
)
def test_a_huge_body_is_refused_and_the_rest_of_it_is_not_kept(port: int, head: bytes) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    answer = say(port, head, *[chunk] * 64)
    problem(answer, 413)


def test_a_body_of_just_the_size_that_is_allowed_is_read(port: int) -> None:
    filler = b'{"query": "a", "b": "' + b"x" * (MAX_BODY_BYTES - 23) + b'"}'
    assert len(filler) == MAX_BODY_BYTES
    problem(say(port, post(filler)), 422)
    problem(say(port, post(filler + b" ")), 413)


def test_many_wrong_fields_are_not_all_repeated(port: int) -> None:
    names = ", ".join(f'"{number}": {number}' for number in range(4000))
    answer = say(port, search(f'"a", {names}'))
    problem(answer, 422)
    assert len(answer) < 8_000


def test_names_come_back_as_pointers_and_cut_to_a_length(port: int) -> None:
    answer = say(port, search(f'"a", "a~b/c": 1, "{"x" * 50_000}": 1'))
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert [error["pointer"] for error in body["errors"]] == ["/a~0b~1c", f"/{'x' * 100}"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are a part of one."""
    monkeypatch.setattr(serving, "HEAD_S", 0.3)
    monkeypatch.setattr(middleware, "BODY_S", 0.3)


HALF_A_HEAD = get(b"/v1/stats")[:-2]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"G", id="a letter"),
        pytest.param(HALF_A_HEAD, id="half a head"),
        pytest.param(get(b"/v1/search", JSON + b"Content-Length: 10\r\n", b"POST") + b"{", id="half a body"),
    ],
)
def test_a_request_that_does_not_arrive_in_time_is_ended(port: int, impatient: None, sent: bytes) -> None:
    assert problem(say(port, sent), 408)["connection"] == "close"


def test_a_second_request_that_does_not_arrive_in_time_is_ended_too(port: int, impatient: None) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(get(b"/healthz"))
        first = b""
        while not first.endswith(b"ok\n"):
            first += connection.recv(65536)
        connection.sendall(HALF_A_HEAD)
        problem(connection.recv(65536), 408)


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_that_asks_nothing_is_closed(port: int, impatient: None, sent: bytes) -> None:
    assert say(port, sent) == b""


def test_a_letter_now_and_then_wins_no_time(port: int, impatient: None) -> None:
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=0.05) as connection:
        connection.sendall(HALF_A_HEAD)
        while not answer:
            connection.sendall(b"a")
            with suppress(TimeoutError):
                answer = connection.recv(65536)
    problem(answer, 408)


def test_a_refused_body_that_never_ends_is_not_read_for_ever(port: int, impatient: None) -> None:
    def send_for_ever(connection: socket.socket) -> NoReturn:
        while True:
            connection.sendall(b"x" * 65536)

    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(get(b"/v1/search", JSON + b"Content-Length: 1000000000000\r\n", b"POST"))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_for_ever(connection)


def test_a_body_that_nobody_wants_does_not_end_an_answer(impatient: None) -> None:
    async def ticks() -> AsyncIterator[bytes]:
        for _ in range(20):
            await asyncio.sleep(0.05)
            yield b"."

    app = create_app(load_settings(postgres_dsn=NO_POSTGRES), BagOfWords())
    app.add_api_route("/ticks", lambda: StreamingResponse(ticks()))
    with served(app) as (_, port):
        answer = say(port, get(b"/ticks", b"Content-Length: 10\r\nConnection: close\r\n"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"1\r\n.\r\n") == 20
    assert answer.endswith(b"0\r\n\r\n")


def test_a_client_that_reads_nothing_is_cut_off_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNREAD_S", 0.3)
    app = create_app(load_settings(postgres_dsn=NO_POSTGRES), BagOfWords())

    @app.get("/endless")
    def endless() -> StreamingResponse:
        return StreamingResponse(itertools.repeat(b"x" * 10_000))

    @retry(retry=retry_if_result(bool), wait=wait_fixed(0.05), stop=stop_after_delay(20))
    def until_it_is_gone(server: uvicorn.Server) -> bool:
        return bool(server.server_state.connections or server.server_state.tasks)

    with served(app) as (server, port), socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(get(b"/endless"))
        assert connection.recv(10).startswith(b"HTTP/1.1 2")
        until_it_is_gone(server)


def test_a_disconnect_in_the_middle_leaves_the_server_well(port: int) -> None:
    for sent in (b"", HALF_A_HEAD, post(b'{"query": "a"}')[:-3], post(b'{"query": "a"}'), get(b"/v1/stats")):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent)
    assert say(port, get(b"/healthz")).startswith(b"HTTP/1.1 200")


def test_a_stranger_is_told_so_before_the_body_and_by_the_address_of_the_connection() -> None:
    settings = load_settings(postgres_dsn=NO_POSTGRES, api_keys=f"ada:{keys.digest('key')}", api_rate_limit="2/minute")
    begun = get(b"/v1/search", JSON + b"Content-Length: 100\r\nX-Forwarded-For: 192.0.2.%d\r\n", b"POST")
    with served(create_app(settings, BagOfWords())) as (_, port):
        answers = [say(port, begun % number) for number in range(3)]
    assert problem(answers[0], 401)["www-authenticate"] == "Bearer"
    problem(answers[1], 401)
    problem(answers[2], 429)
