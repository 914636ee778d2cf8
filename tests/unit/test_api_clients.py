"""Who is let in: keys, how often one client may ask, and which pages' scripts."""

import asyncio
import hmac
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from starlette.responses import StreamingResponse
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from api import clients
from api import server as serving_module
from api.app import create_app
from freshet import keys
from freshet.errors import ConfigError, PermanentError
from freshet.settings import load_settings
from local.cli import app as command
from local.cli import questions
from tests.api_builders import BagOfWords
from tests.api_serving import NO_POSTGRES, served

OPEN = ("/healthz", "/metrics", "/docs", "/openapi.json")
ENTRIES = tuple(f"{name}:{keys.digest(f'key-of-{name}')}" for name in ("ada", "bo", "cy"))
# Whoever is let in is told of the wrong field; Postgres is not asked.
ASKED: dict[str, Any] = {"url": "/v1/search", "json": {"query": ""}}
LET_IN = 422


@contextmanager
def serving(**settings: Any) -> Iterator[TestClient]:
    with TestClient(create_app(load_settings(postgres_dsn=NO_POSTGRES, **settings), BagOfWords())) as client:
        yield client


def bearing(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key-of-{name}"}


def refused(response: Response, status: int) -> Response:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    return response


@pytest.fixture(scope="module")
def keyed() -> Iterator[TestClient]:
    with serving(api_keys=ENTRIES) as client:
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearing("nobody"),
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic key-of-ada"},
        {"Authorization": f"Bearer {keys.digest('key-of-ada')}"},
        {"Authorization": b"Bearer \xff\xfe"},
        {"X-API-Key": "key-of-ada"},
    ],
)
def test_without_a_key_of_this_api_nothing_under_v1_is_answered(keyed: TestClient, headers: dict[str, str]) -> None:
    assert refused(keyed.post(**ASKED, headers=headers), 401).headers["www-authenticate"] == "Bearer"
    refused(keyed.get("/v1/no-such-path", headers=headers), 401)


@pytest.mark.parametrize("name", ["ada", "bo", "cy"])
def test_each_key_lets_in(keyed: TestClient, name: str) -> None:
    assert keyed.post(**ASKED, headers=bearing(name)).status_code == LET_IN


@pytest.mark.parametrize("path", OPEN)
def test_what_is_for_whoever_runs_it_needs_no_key(keyed: TestClient, path: str) -> None:
    assert keyed.get(path).status_code == 200


def test_a_key_is_compared_with_all_entries_in_constant_time(
    keyed: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, really = [], hmac.compare_digest

    def compare(known: str, given: str) -> bool:
        compared.append(known)
        return really(known, given)

    monkeypatch.setattr(clients.hmac, "compare_digest", compare)
    keyed.post(**ASKED, headers=bearing("ada"))
    assert compared == [keys.digest(f"key-of-{name}") for name in ("ada", "bo", "cy")]


def test_the_description_asks_for_a_key_where_the_api_does(keyed: TestClient) -> None:
    described = keyed.get("/openapi.json").json()
    assert described["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    assert described["paths"]["/v1/search"]["post"]["security"] == [{"ApiKey": []}]
    assert "security" not in described["paths"]["/healthz"]["get"]


def test_a_client_that_asks_too_often_is_told_when_to_come_back() -> None:
    with serving(api_rate_limit="2/minute") as client:
        assert [client.post(**ASKED).status_code for _ in range(3)] == [LET_IN, LET_IN, 429]
        assert 1 <= int(refused(client.post(**ASKED), 429).headers["retry-after"]) <= 60
        assert {client.get(path).status_code for path in OPEN for _ in range(3)} == {200}


def test_after_so_many_seconds_it_is_let_in_again_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.3
    monkeypatch.setattr(time, "time", lambda: now)
    with serving(api_rate_limit="4/minute") as client:
        for _ in range(8):
            while (response := client.post(**ASKED)).status_code == LET_IN:
                pass
            wait_s = int(response.headers["retry-after"])
            now += wait_s - 1
            assert client.post(**ASKED).status_code == 429
            now += 1
            assert client.post(**ASKED).status_code == LET_IN


def test_each_key_is_a_client_and_strangers_are_bounded_as_well() -> None:
    with serving(api_rate_limit="1/minute", api_keys=ENTRIES) as client:
        for name in ("ada", "bo"):
            assert [client.post(**ASKED, headers=bearing(name)).status_code for _ in range(2)] == [LET_IN, 429]
        assert [client.post(**ASKED).status_code for _ in range(2)] == [401, 429]


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST", "url": "/v1/search", "content": b"{", "headers": {"Content-Type": "application/json"}},
        {"method": "POST", "url": "/v1/search", "content": b"x" * 100_000},
        {"method": "DELETE", "url": "/v1/search"},
        {"method": "GET", "url": "/v1/nowhere"},
    ],
)
def test_whatever_is_wrong_with_a_request_it_counts(request_: dict[str, Any]) -> None:
    with serving(api_rate_limit="1/minute") as client:
        assert client.request(**request_).status_code in (400, 404, 405, 413, 422)
        refused(client.request(**request_), 429)


def test_scripts_of_an_allowed_page_may_ask_and_read_what_they_need() -> None:
    with serving(api_cors_origins="https://one.example, https://two.example", api_keys=ENTRIES) as client:
        asked = client.get("/v1/stats", headers={"Origin": "https://two.example"})
        preflight = client.options(
            "/v1/search",
            headers={
                "Origin": "https://one.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        stranger = client.get("/v1/stats", headers={"Origin": "https://three.example"})
    assert refused(asked, 401).headers["access-control-allow-origin"] == "https://two.example"
    assert {"X-Request-ID", "Retry-After"} == set(asked.headers["access-control-expose-headers"].split(", "))
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://one.example"
    assert "access-control-allow-origin" not in stranger.headers


def test_without_the_setting_no_page_may_ask() -> None:
    with serving() as client:
        assert (
            "access-control-allow-origin" not in client.get("/healthz", headers={"Origin": "https://a.example"}).headers
        )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("api_keys", "no-hash"),
        ("api_keys", f"ada:{'F' * 64}"),
        ("api_keys", f"{ENTRIES[0]},a b:{'0' * 64}"),
        ("api_rate_limit", "often"),
        ("api_rate_limit", "0/minute"),
        ("api_rate_limit", "1/second;5/minute"),
        ("api_cors_origins", "https://one.example/"),
        ("api_cors_origins", "one.example"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_not_repeated(setting: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"FRESHET_{setting.upper()}: ") as caught:
        load_settings(**{setting: value})
    assert value not in str(caught.value)


def test_a_made_key_is_shown_once_and_its_entry_lets_it_in() -> None:
    made = CliRunner().invoke(command, ["api-key", "ada"])
    key = made.stdout.strip()
    (entry,) = [line.strip() for line in made.stderr.splitlines() if line.strip().startswith("ada:")]
    assert key not in made.stderr
    with serving(api_keys=entry) as client:
        assert client.post(**ASKED, headers={"Authorization": f"Bearer {key}"}).status_code == LET_IN
    assert CliRunner().invoke(command, ["api-key", "a b"]).exit_code != 0


def test_the_command_shows_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    app = create_app(load_settings(postgres_dsn=NO_POSTGRES, api_keys=ENTRIES), BagOfWords())
    with served(app) as (_, port):
        monkeypatch.setenv("FRESHET_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("FRESHET_API_PORT", str(port))
        with pytest.raises(PermanentError, match="Unauthorized"):
            questions.call("GET", "/v1/documents/one")
        monkeypatch.setenv("FRESHET_API_KEY", "key-of-bo")
        with pytest.raises(PermanentError, match="Service Unavailable"):
            questions.call("GET", "/v1/documents/one")


def held() -> StreamingResponse:
    """A stream that says one word and goes on."""

    async def words() -> AsyncIterator[bytes]:
        yield b"."
        await asyncio.Event().wait()

    return StreamingResponse(words())


@contextmanager
def holding(port: int, name: str) -> Iterator[int]:
    """The status of a stream that stays open until the block ends."""
    with httpx.stream("GET", f"http://127.0.0.1:{port}/v1/held", headers=bearing(name), timeout=20) as stream:
        yield stream.status_code


def test_one_client_has_so_many_requests_under_way_and_others_have_theirs() -> None:
    app = create_app(load_settings(postgres_dsn=NO_POSTGRES, api_keys=ENTRIES, api_at_once=2), BagOfWords())
    app.add_api_route("/v1/held", held)

    @retry(retry=retry_if_result(lambda status: status == 429), wait=wait_fixed(0.05), stop=stop_after_delay(20))
    def until_let_in() -> int:
        return httpx.post(f"http://127.0.0.1:{port}/v1/search", json={"query": ""}, headers=bearing("ada")).status_code

    with served(app) as (server, port):
        with holding(port, "ada") as first:
            with holding(port, "ada") as second, holding(port, "ada") as third, holding(port, "bo") as other:
                assert [first, second, third, other] == [200, 200, 429, 200]
            # a stream that was ended makes room
            assert until_let_in() == LET_IN
        server.should_exit = True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a loopback has one address unless it is given more")
def test_connections_beyond_those_of_one_address_are_closed_and_others_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving_module, "MOST_CONNECTIONS", 5)

    def connected(address: str) -> socket.socket:
        return opened.enter_context(socket.create_connection(("127.0.0.1", port), 20, source_address=(address, 0)))

    def answered(connection: socket.socket) -> bool:
        try:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.1 200")
        except (ConnectionResetError, BrokenPipeError):
            return False

    app = create_app(load_settings(postgres_dsn=NO_POSTGRES), BagOfWords())
    with served(app) as (_, port), ExitStack() as opened:
        assert [answered(connected("127.0.0.1")) for _ in range(7)] == [True] * 5 + [False] * 2
        assert answered(connected("127.0.0.2"))
