"""Streams over real connections: they come as they are written, end with whoever reads them, and outlive a shutdown."""

from contextlib import ExitStack

import fastapi.routing
import httpx
import pytest
import sseclient
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from api.turns import CONNECTIONS
from local.openai_server.app import OpenAIServer
from tests.asking import QUESTION, insert_snails
from tests.serving import listening

pytestmark = pytest.mark.integration

CHAT = {"model": "freshet", "stream": True, "messages": [{"role": "user", "content": QUESTION["question"]}]}
ROUTES = pytest.mark.parametrize(
    ("path", "body"), [("/v1/ask/stream", QUESTION), ("/v1/chat/completions", CHAT)], ids=["ask", "chat"]
)


@pytest.fixture(autouse=True)
def edits(store: str) -> None:
    insert_snails(store)


@retry(retry=retry_if_result(lambda left: not left), wait=wait_fixed(0.02), stop=stop_after_delay(10))
def until_abandoned(model: OpenAIServer) -> bool:
    return model.counts.abandoned == 1


@ROUTES
def test_who_leaves_a_stream_ends_the_model_s_work(application, model, path, body):
    with listening(application("fault-stall")) as (_, address):
        with httpx.stream("POST", address + path, json=body, timeout=10) as response:
            seen = ""
            for piece in response.iter_text():
                seen += piece
                if "edited" in seen:
                    break
            assert model.counts.abandoned == 0
        until_abandoned(model)


@ROUTES
def test_tokens_come_while_the_model_still_writes(application, model, path, body):
    model.delay_s = 1.0
    with (
        listening(application()) as (_, address),
        httpx.stream("POST", address + path, json=body, timeout=10) as response,
    ):
        for piece in response.iter_text():
            if "edited" in piece:
                assert model.counts.answers == 0
                break
        else:
            pytest.fail("no token came")


@ROUTES
def test_a_stream_that_is_open_at_the_shutdown_is_finished(application, model, path, body):
    model.delay_s = 1.0
    with (
        listening(application()) as (server, address),
        httpx.stream("POST", address + path, json=body, timeout=10) as response,
    ):
        pieces = response.iter_text()
        seen = next(pieces)
        server.should_exit = True
        seen += "".join(pieces)
    assert "event: done" in seen or seen.endswith("data: [DONE]\n\n")
    assert "This answer was written by" in seen


def test_a_comment_keeps_a_stream_alive_while_nothing_comes(application, model, monkeypatch):
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.05)
    with (
        listening(application("fault-hang", answer_timeout_s=0.5)) as (_, address),
        httpx.stream("POST", f"{address}/v1/ask/stream", json=QUESTION, timeout=10) as response,
    ):
        text = "".join(response.iter_text())
    assert text.count(": ping\n\n") >= 3
    events = [event.event for event in sseclient.SSEClient(iter([text.encode()])).events()]
    assert events[0] == "sources"
    assert events[-1] == "done"


def test_who_waits_for_a_model_keeps_no_connection_to_the_store(application):
    with listening(application("fault-hang")) as (_, address), ExitStack() as waiting:
        for _ in range(CONNECTIONS + 2):
            response = waiting.enter_context(
                httpx.stream("POST", f"{address}/v1/ask/stream", json=QUESTION, timeout=10)
            )
            assert "event: sources" in next(response.iter_text())
        assert httpx.post(f"{address}/v1/search", json={"query": "sea snails"}, timeout=10).status_code == 200
