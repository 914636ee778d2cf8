"""The API without any dependency: it starts, says what is missing, and every error is a problem document."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.middleware import MAX_BODY_BYTES
from freshet.settings import load_settings
from local import ports
from tests.api_builders import BagOfWords


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[TestClient]:
    nobody = f"postgresql://freshet:secret-of-ours@127.0.0.1:{ports.find_free(1)[0]}/freshet"
    settings = load_settings(state_dir=tmp_path_factory.mktemp("state"), postgres_dsn=SecretStr(nobody))
    app = create_app(settings, BagOfWords())

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret-of-ours")

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def problem(response, status):
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    assert "secret-of-ours" not in response.text
    return body


def test_it_is_alive_without_postgres(client):
    assert client.get("/healthz").status_code == 200


def test_readiness_names_what_is_missing(client):
    response = client.get("/readyz")
    assert problem(response, 503)["dependencies"]["postgres"] == "does not answer"
    assert response.headers["retry-after"]


def test_a_search_without_postgres_may_be_tried_again(client):
    response = client.post("/v1/search", json={"query": "anything"})
    problem(response, 503)
    assert int(response.headers["retry-after"]) > 0


def test_an_unknown_path_is_a_problem(client):
    problem(client.get("/nowhere"), 404)


def test_a_wrong_method_is_a_problem_that_names_the_right_one(client):
    response = client.get("/v1/ask")
    problem(response, 405)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"question": "   "}, "/question"),
        ({"question": "x" * 1001}, "/question"),
        ({"question": "a\x00b"}, "/question"),
        ({"question": "why", "limit": 0}, "/limit"),
        ({"question": "why", "limit": 51}, "/limit"),
        ({"question": "why", "colour": "blue"}, "/colour"),
        ({"question": "why", "filters": {"since": "2026-01-01T00:00:00"}}, "/filters/since"),
        ({"question": "why", "filters": {"user_kinds": ["bot"]}}, "/filters/user_kinds/0"),
        ({}, "/question"),
    ],
)
def test_a_wrong_field_is_pointed_at(client, body, pointer):
    errors = problem(client.post("/v1/ask", json=body), 422)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]


@pytest.mark.parametrize("body", [b"{", b'{"question": "\\ud800"}', b'"text"', b"\xff"])
def test_a_body_that_is_no_request_is_a_problem(client, body):
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    problem(response, response.status_code)


def test_a_large_body_is_refused_by_its_announced_length(client):
    problem(client.post("/v1/ask", content=b"x" * (MAX_BODY_BYTES + 1)), 413)


def test_a_large_body_of_unknown_length_is_refused_too(client):
    problem(client.post("/v1/ask", content=iter([b"x" * MAX_BODY_BYTES, b"x"])), 413)


def test_an_unexpected_error_tells_nothing_of_the_inside(client):
    assert problem(client.get("/broken"), 500)["detail"] == "Something went wrong here."


def test_a_sound_request_id_is_kept_and_an_unsound_one_replaced(client):
    assert client.get("/healthz", headers={"X-Request-ID": "from-the-caller.1"}).headers["x-request-id"] == (
        "from-the-caller.1"
    )
    assert client.get("/healthz", headers={"X-Request-ID": "a b"}).headers["x-request-id"] != "a b"


def test_requests_are_measured_by_route_template(client):
    client.get("/v1/documents/some-document")
    client.get("/some/unknown/path")
    exposition = client.get("/metrics").text
    assert 'freshet_api_request_seconds_count{method="GET",route="/v1/documents/{doc_id}",status="503"}' in exposition
    assert 'route="unmatched"' in exposition
    assert "some-document" not in exposition
    assert "/some/unknown/path" not in exposition


def test_the_description_says_that_errors_are_problems(client):
    described = client.get("/openapi.json").json()["paths"]["/v1/ask"]["post"]["responses"]
    assert set(described["422"]["content"]) == {"application/problem+json"}
    assert {"200", "413", "422", "500", "503"} <= set(described)
