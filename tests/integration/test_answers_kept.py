"""Answers are stored, counted, and can be judged."""

import uuid
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.rows import dict_row

from tests.asking import ask, insert_snails, metric, stream

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def edits(store: str) -> None:
    insert_snails(store)


def rows(conninfo: str, table: str) -> list[dict[str, Any]]:
    with psycopg.connect(conninfo, row_factory=dict_row) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 2").fetchall()


def test_every_answer_is_stored(application, store):
    with TestClient(application()) as client:
        whole, streamed, refused = ask(client), stream(client)[-1][1], ask(client, question="chess grandmasters")
    for row, body in zip(rows(store, "answers"), (whole, streamed, refused), strict=True):
        assert str(row["answer_id"]) == body["answer_id"]
        same = ("question", "answer", "outcome", "answerer", "model", "degraded", "took_ms")
        assert {name: row[name] for name in same} == {name: body[name] for name in same}
        assert row["doc_ids"] == [citation["doc_id"] for citation in body["citations"]]


def test_an_answer_that_cannot_be_stored_is_given_all_the_same_and_counted(application, store):
    with TestClient(application()) as client:
        with psycopg.connect(store) as connection:
            connection.execute("DROP TABLE answers CASCADE")
        unstored = metric(client, "freshet_api_answers_unstored_total")
        assert ask(client)["outcome"] == "grounded"
        assert stream(client)[-1][0] == "done"
        assert metric(client, "freshet_api_answers_unstored_total") == unstored + 2


def test_what_a_model_reads_writes_and_costs_is_counted(application):
    names = (
        'freshet_api_model_tokens_total{direction="input"}',
        'freshet_api_model_tokens_total{direction="output"}',
        "freshet_api_model_cost_usd_total",
        'freshet_api_answers_total{answerer="model",outcome="grounded"}',
        'freshet_api_first_token_seconds_count{answerer="model"}',
    )
    with TestClient(application()) as client:
        before = [metric(client, name) for name in names]
        usage = ask(client)["usage"]
        grown = [metric(client, name) - old for name, old in zip(names, before, strict=True)]
    assert grown == [usage["input_tokens"], usage["output_tokens"], pytest.approx(usage["cost_usd"]), 1, 1]


def test_feedback_is_bound_to_its_answer(application, store):
    with TestClient(application()) as client:
        answer_id = stream(client)[-1][1]["answer_id"]
        counted = metric(client, 'freshet_api_feedback_total{rating="down"}')
        first = client.post("/v1/feedback", json={"answer_id": answer_id, "rating": "up"})
        second = client.post(
            "/v1/feedback", json={"answer_id": answer_id, "rating": "down", "comment": " wrong snail "}
        )
        assert metric(client, 'freshet_api_feedback_total{rating="down"}') == counted + 1
    assert (first.status_code, second.status_code) == (201, 201)
    kept = {row["feedback_id"]: row for row in rows(store, "feedback")}
    assert len(kept) == 2
    row = kept[second.json()["feedback_id"]]
    assert (str(row["answer_id"]), row["rating"], row["comment"]) == (answer_id, "down", "wrong snail")


def test_feedback_on_no_answer_is_a_problem(application, store):
    with TestClient(application(None)) as client:
        response = client.post("/v1/feedback", json={"answer_id": str(uuid.uuid4()), "rating": "up"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert rows(store, "feedback") == []


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"answer_id": "no uuid"}, "/answer_id"),
        ({"rating": "sideways"}, "/rating"),
        ({"comment": "x" * 2001}, "/comment"),
        ({"comment": "a\x00b"}, "/comment"),
        ({"stars": 5}, "/stars"),
    ],
)
def test_feedback_beyond_its_bounds_is_a_problem(application, given, pointer):
    body = {"answer_id": str(uuid.uuid4()), "rating": "up", **given}
    with TestClient(application(None)) as client:
        response = client.post("/v1/feedback", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer
