"""Answers by a model, over HTTP, from a real store: grounded, refused, or extractive with the reason; never a 500."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from freshet.settings import load_settings
from tests.api_builders import BagOfWords
from tests.asking import QUESTION, ask, insert_snails, metric, stream, text_of

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def edits(store: str) -> None:
    insert_snails(store)


def test_a_model_answers_with_citations_and_says_what_it_took(application, model):
    with TestClient(application(answer_input_usd_per_million=2, answer_output_usd_per_million=4)) as client:
        body = ask(client)
    assert (body["outcome"], body["answerer"], body["model"], body["degraded"]) == (
        *("grounded", "model", "stand-in"),
        {},
    )
    lines = body["answer"].splitlines()
    assert re.fullmatch(r"Sea snails was edited: .* \[1\]\[2\]", lines[0])
    assert re.fullmatch(r"Cone snails of the sea was edited: .* \[3\]", lines[1])
    assert lines[-1].startswith("Searched 4 edits of all wikis from ")
    assert lines[-1].endswith("This answer was written by stand-in from the edits that it cites.")
    assert [citation["n"] for citation in body["citations"]] == [1, 2, 3]
    usage = body["usage"]
    assert usage["cost_usd"] == pytest.approx((2 * usage["input_tokens"] + 4 * usage["output_tokens"]) / 1e6)
    assert 0 < body["timings"]["retrieval_ms"] <= body["timings"]["first_token_ms"] <= body["timings"]["total_ms"]


def test_a_citation_says_everything_of_its_edit_and_links_to_wikimedia_alone(application):
    with TestClient(application()) as client:
        cited = {citation["doc_id"]: citation for citation in ask(client)["citations"]}
    assert cited["three"]["section"] == "Venom"
    assert cited["three"]["scores"].keys() >= {"vector", "words"}
    assert cited["three"]["reverted"] is False
    assert cited["two"]["diff_url"] is None


def test_the_model_is_asked_for_claims_within_its_bounds(application, model):
    with TestClient(application(answer_max_tokens=123)) as client:
        ask(client)
        assert "stream" not in model.asked
        stream(client)
    asked = model.asked
    assert asked["max_completion_tokens"] == 123
    assert asked["reasoning_effort"] == "none"
    assert asked["stream_options"] == {"include_usage": True}
    assert asked["response_format"]["json_schema"]["strict"] is True
    claim = asked["response_format"]["json_schema"]["schema"]["properties"]["claims"]["items"]
    assert list(claim["properties"]) == ["citations", "text"]


def test_an_effort_that_a_model_does_not_know_is_not_sent(application, model):
    with TestClient(application(answer_reasoning_effort="default")) as client:
        ask(client)
    assert "reasoning_effort" not in model.asked


def test_a_stream_gives_sources_then_tokens_then_the_whole_answer(application):
    with TestClient(application()) as client:
        events = stream(client)
    kinds = [kind for kind, _ in events]
    assert kinds == ["sources", *["token"] * (len(kinds) - 2), "done"]
    assert len(kinds) > 5
    done = events[-1][1]
    assert text_of(events) == done["answer"]
    assert done["answerer"] == "model"
    assert [source["n"] for source in events[0][1]] == [1, 2, 3]


def test_whole_and_streamed_are_the_same_answer(application):
    with TestClient(application()) as client:
        whole, streamed = ask(client), stream(client)[-1][1]
    assert re.sub(r"the newest .* old", "", whole["answer"]) == re.sub(r"the newest .* old", "", streamed["answer"])
    assert [one["doc_id"] for one in whole["citations"]] == [one["doc_id"] for one in streamed["citations"]]


FAILURES = [
    ("fault-500", "error", False),
    ("fault-429", "limited", False),
    ("fault-401", "denied", False),
    ("fault-hang", "timeout", False),
    ("fault-stall", "timeout", True),
    ("fault-cut", "unreachable", True),
    ("fault-garbage", "malformed", True),
    ("fault-broken", "error", True),
    ("fault-length", "truncated", True),
    ("fault-filtered", "refused", True),
    ("fault-refusal", "refused", True),
    ("fault-prose", "malformed", False),
    ("fault-types", "malformed", False),
    ("fault-empty", "malformed", False),
]


@pytest.mark.parametrize(("name", "reason", "begun"), FAILURES)
def test_a_model_that_fails_leaves_an_extractive_answer_that_says_why(application, name, reason, begun):
    # a connection that breaks off is tried again twice, after a second or so
    timeout_s = 10 if name == "fault-cut" else 0.5
    with TestClient(application(name, answer_timeout_s=timeout_s)) as client:
        counted = metric(client, f'freshet_api_model_failures_total{{reason="{reason}"}}')
        whole, events = ask(client), stream(client)
        assert metric(client, f'freshet_api_model_failures_total{{reason="{reason}"}}') == counted + 2
    for body in (whole, events[-1][1]):
        assert (body["outcome"], body["answerer"], body["model"], body["usage"]) == (
            "grounded",
            "extractive",
            None,
            None,
        )
        assert body["degraded"]["model"].startswith("the model")
        assert f"because {body['degraded']['model']}" in body["answer"]
        assert body["answer"].startswith("What the edits nearest to the question say:")
    assert ("restart" in [kind for kind, _ in events]) is begun
    assert text_of(events) == events[-1][1]["answer"]


@pytest.mark.parametrize("name", ["fault-500", "fault-429"])
def test_a_server_that_fails_is_asked_again_and_not_for_ever(application, model, name):
    with TestClient(application(name)) as client:
        ask(client)
    assert model.counts.requests == 3


def test_a_key_that_is_not_accepted_is_not_tried_again(application, model):
    with TestClient(application("fault-401")) as client:
        ask(client)
    assert model.counts.requests == 1


def test_a_key_that_the_model_refuses_and_repeats_is_in_no_answer_and_no_log(application, capfd, caplog):
    secret = "hush-hush"
    with caplog.at_level("DEBUG"), TestClient(application("fault-401", openai_api_key=SecretStr(secret))) as client:
        whole, events = ask(client), stream(client)
    written = capfd.readouterr()
    assert whole["degraded"]["model"] == "the model does not accept the key"
    assert secret not in json.dumps([whole, events])
    assert secret not in caplog.text
    assert secret not in written.out + written.err
    assert "AuthenticationError" in written.out


def test_a_server_that_is_not_there_leaves_an_extractive_answer(application):
    with TestClient(application(openai_base_url="http://127.0.0.1:1/v1")) as client:
        body = ask(client)
    assert (body["answerer"], body["degraded"]) == (
        "extractive",
        {"model": "the model could not be reached, or broke off"},
    )


def test_without_a_model_the_answer_is_extractive_and_says_so(application, model):
    with TestClient(application(None)) as client:
        body, events = ask(client), stream(client)
    assert (body["outcome"], body["answerer"]) == ("grounded", "extractive")
    assert body["degraded"]["model"].startswith("no model is set")
    assert text_of(events) == events[-1][1]["answer"]
    assert model.counts.requests == 0


def test_citations_that_point_at_nothing_are_removed_and_counted(application):
    with TestClient(application("fault-citations")) as client:
        removed = metric(client, "freshet_api_citations_removed_total")
        body = ask(client)
        # of each of two pages' claims 0, 99 and -1, and each number the second time
        assert metric(client, "freshet_api_citations_removed_total") == removed + 3 + 3 + 3
    assert set(re.findall(r"\[(.*?)\]", body["answer"])) == {"1", "2", "3"}


def test_a_server_that_writes_the_text_first_is_understood(application):
    with TestClient(application("fault-text-first")) as client:
        body = ask(client)
    assert body["answerer"] == "model"
    assert "[1][2]" in body["answer"]


def test_no_claim_is_a_refusal_that_says_what_was_searched(application):
    with TestClient(application("fault-no-claims")) as client:
        body = ask(client, filters={"wikis": ["enwiki", "dewiki"]})
        events = stream(client)
    assert (body["outcome"], body["answerer"], body["citations"]) == ("refused", "model", [])
    assert "do not support an answer" in body["answer"]
    assert "Searched 4 edits of enwiki, dewiki from 2026-11-23 12:00 UTC to 2026-11-23 12:00 UTC" in body["answer"]
    assert body["searched"]["documents"] == 4
    assert body["searched"]["wikis"] == ["enwiki", "dewiki"]
    assert [kind for kind, _ in events] == ["sources", "token", "done"]


def test_a_question_that_no_edit_supports_is_refused_without_asking_the_model(application, model):
    with TestClient(application()) as client:
        body = ask(client, question="chess grandmasters")
        events = stream(client, question="chess grandmasters")
    assert (body["outcome"], body["answerer"], body["citations"]) == ("refused", "extractive", [])
    assert body["searched"]["wikis"] is None
    assert body["degraded"] == {}
    assert events[0] == ("sources", [])
    assert model.counts.requests == 0


@pytest.mark.parametrize("question", ["And who did that?", "Why was it reverted?", "And the lighthouses?"])
def test_a_follow_up_is_understood_by_what_was_said_before(application, model, question):
    conversation = [
        {"role": "user", "content": QUESTION["question"]},
        {"role": "assistant", "content": "Species were added [1]."},
    ]
    with TestClient(application()) as client:
        alone = ask(client, question=question)
        following = ask(client, question=question, conversation=conversation)
    assert alone["outcome"] == "refused"
    assert {citation["doc_id"] for citation in following["citations"]} == {"one", "two", "three"}
    assert [message["content"] for message in model.asked["messages"][1:-1]] == [
        turn["content"] for turn in conversation
    ]


def test_only_the_last_messages_of_a_conversation_count(application, model):
    conversation = [{"role": "user", "content": f"message {number}"} for number in range(20)]
    with TestClient(application()) as client:
        ask(client, conversation=conversation)
    assert [message["content"] for message in model.asked["messages"][1:-1]] == [
        f"message {number}" for number in range(14, 20)
    ]


@pytest.mark.parametrize(
    ("conversation", "pointer"),
    [
        ([{"role": "user", "content": "x"}] * 21, "/conversation"),
        ([{"role": "user", "content": "x" * 2001}], "/conversation/0/content"),
        ([{"role": "system", "content": "obey"}], "/conversation/0/role"),
        ([{"role": "user", "content": ""}], "/conversation/0/content"),
    ],
)
def test_a_conversation_beyond_its_bounds_is_a_problem(application, conversation, pointer):
    with TestClient(application(None)) as client:
        response = client.post("/v1/ask", json={**QUESTION, "conversation": conversation})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


class Broken:
    """A fault of ours, not of a model's server."""

    name = "broken"

    async def stream(self, messages: list[Any]) -> AsyncIterator[str]:
        yield '{"claims": [{"citations": [1], "text": "It was '
        raise RuntimeError("secret-of-ours")


def test_a_fault_of_ours_in_mid_stream_is_an_event_with_a_problem_document(application):
    app = application()
    with TestClient(app, raise_server_exceptions=False) as client:
        object.__setattr__(app.state.services, "model", Broken())
        events = stream(client)
        whole = client.post("/v1/ask", json=QUESTION)
    kind, problem = events[-1]
    assert kind == "error"
    assert (problem["status"], problem["title"]) == (500, "Internal Server Error")
    assert problem["request_id"]
    assert "secret-of-ours" not in json.dumps(events)
    assert whole.status_code == 500
    assert "secret-of-ours" not in whole.text


def test_a_stream_that_cannot_begin_is_a_problem_document():
    nowhere = SecretStr("postgresql://127.0.0.1:1/nothing?connect_timeout=1")
    with TestClient(create_app(load_settings(postgres_dsn=nowhere), BagOfWords())) as client:
        response = client.post("/v1/ask/stream", json=QUESTION)
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
