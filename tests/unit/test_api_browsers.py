"""What a browser is told of each answer of the API, and under which names it answers at all."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from freshet.settings import load_settings
from tests.api_builders import BagOfWords
from tests.api_serving import NO_POSTGRES, say, served

PATHS = ("/healthz", "/metrics", "/openapi.json", "/readyz", "/nowhere", "/v1/stats", "/v1/models", "/broken", "/docs")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_app(load_settings(postgres_dsn=NO_POSTGRES, allowed_hosts="freshet.example"), BagOfWords())

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_what_a_browser_may_do_with_it(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert headers.get_list("cache-control") == ["no-store"]
    (policy,) = headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_description_s_page_may_load_its_script_and_ask_this_api(client: TestClient) -> None:
    page = client.get("/docs")
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    scripts = {part.split("/")[2] for part in page.text.split('"') if part.startswith("https://") and ".js" in part}
    assert scripts
    assert all(f"https://{host}" in policy["script-src"] for host in scripts)
    assert policy["connect-src"] == "'self'"
    assert client.get("/redoc").status_code == 404


def test_what_is_no_request_is_answered_with_them_too() -> None:
    with served(create_app(load_settings(postgres_dsn=NO_POSTGRES), BagOfWords())) as (_, port):
        answer = say(port, b"good day\r\n\r\n")
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer
    assert b"\r\nx-frame-options: DENY\r\n" in answer


@pytest.mark.parametrize("path", ["/healthz", "/v1/stats", "/docs", "/nowhere"])
def test_a_name_that_was_pointed_here_by_a_stranger_is_not_answered(client: TestClient, path: str) -> None:
    refused = client.get(path, headers={"Host": "evil.example:18080"})
    assert refused.status_code == 421
    assert refused.headers["content-type"] == "application/problem+json"
    assert "FRESHET_ALLOWED_HOSTS" in refused.json()["detail"]
    assert client.get(path, headers={"Host": "freshet.example"}).status_code != 421


def test_a_page_of_elsewhere_cannot_ask_without_the_browser_asking_first(client: TestClient) -> None:
    """What a browser sends without asking is no JSON; and whoever it asks first is told of no other origin."""
    evil = {"Origin": "https://evil.example"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        asked = client.post("/v1/ask", content=b'{"question": "why"}', headers={**evil, "Content-Type": kind})
        assert asked.status_code == 422
    preflight = client.options("/v1/ask", headers={**evil, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 405
    assert "access-control-allow-origin" not in preflight.headers
