"""One trace from a request to its answer, as a collector gets it; and answers when the collector is away or slow."""

import asyncio
import json
import logging
import sys
import threading
import time
from contextlib import aclosing

import pytest
import structlog
from fastapi.testclient import TestClient

from freshet.settings import load_settings
from freshet.telemetry import logs, traces
from local.openai_server.app import MODEL
from tests.api_serving import served
from tests.asking import QUESTION, ask, insert_snails, stream
from tests.collector import Collector
from tests.serving import listening
from ui.client import Client

pytestmark = pytest.mark.integration

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01", "X-Request-ID": "mine"}
PARTS = {
    "retrieve": "POST /v1/ask",
    "embeddings bag-of-words": "retrieve",
    "search documents": "retrieve",
    "count documents": "POST /v1/ask",
    "ground answer": "POST /v1/ask",
    f"chat {MODEL}": "ground answer",
    "store answer": "POST /v1/ask",
}


@pytest.fixture(autouse=True)
def edits(store: str) -> None:
    insert_snails(store)


def test_a_question_is_one_trace_from_its_caller_to_the_stored_answer(application):
    collector = Collector()
    # the application ends first, and sends what it has
    with (
        listening(collector) as (_, address),
        TestClient(application(otlp_endpoint=address), headers=TRACEPARENT) as client,
    ):
        answer = ask(client)
        client.get("/metrics")
    assert collector.parents() == {"POST /v1/ask": CALLER, **PARTS}
    assert {span.trace_id.hex() for span in collector.spans.values()} == {TRACE}
    assert collector.services == {"freshet-api"}
    assert collector.said("POST /v1/ask") == {
        "http.request.method": "POST",
        "http.route": "/v1/ask",
        "http.response.status_code": 200,
        "freshet.request_id": "mine",
    }
    assert collector.said(f"chat {MODEL}") == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": answer["usage"]["input_tokens"],
        "gen_ai.usage.output_tokens": answer["usage"]["output_tokens"],
    }
    assert collector.said("store answer")["freshet.answer_id"] == answer["answer_id"]
    # it is in what was asked, in what was found and in what was answered
    assert b"snail" not in collector.received


def test_a_streamed_answer_is_within_its_request_and_a_failed_model_is_seen(application):
    collector = Collector()
    with (
        listening(collector) as (_, address),
        TestClient(application("fault-stall", otlp_endpoint=address, answer_timeout_s=0.5)) as client,
    ):
        events = stream(client)
    assert events[-1][1]["answerer"] == "extractive"
    request = collector.spans["POST /v1/ask/stream"]
    for name in ("ground answer", "chat fault-stall", "extract answer", "store answer"):
        assert collector.spans[name].trace_id == request.trace_id
        assert request.start_time_unix_nano <= collector.spans[name].start_time_unix_nano
        assert collector.spans[name].end_time_unix_nano <= request.end_time_unix_nano
    said = collector.said("chat fault-stall")
    assert (said["error.type"], said["freshet.model.failure"]) == ("ModelError", "timeout")
    assert collector.parents()["extract answer"] == "POST /v1/ask/stream"
    assert b"snail" not in collector.received


def test_the_page_s_request_is_the_root_of_the_trace(application):
    async def asked(port: int) -> list[str]:
        client = Client(load_settings(ui_api_url=f"http://127.0.0.1:{port}"))
        async with aclosing(client.ask(QUESTION)) as events:
            names = [name async for name, _ in events]
        await client.close()
        return names

    collector = Collector()
    with listening(collector) as (_, address), served(application(otlp_endpoint=address)) as (_, port):
        assert asyncio.run(asked(port))[-1] == "done"
    assert collector.parents()["POST"] == ""
    assert collector.parents()["POST /v1/ask/stream"] == "POST"
    assert b"snail" not in collector.received


@pytest.mark.parametrize("away", [True, False])
def test_a_collector_that_is_away_or_hangs_delays_neither_answers_nor_the_end(application, away):
    hanging = Collector(delay_s=8)
    with listening(hanging) as (_, address):
        endpoint = "http://127.0.0.1:9" if away else address
        with TestClient(application(otlp_endpoint=endpoint)) as client:
            ask(client)
            begun = time.perf_counter()
            for _ in range(20):
                ask(client)
            assert time.perf_counter() - begun < 5
            begun = time.perf_counter()
        assert time.perf_counter() - begun < traces.FLUSH_S + 1


@pytest.fixture
def logging_of_before(monkeypatch):
    """What the test does to this process' logs ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def test_log_lines_name_the_trace_and_no_question(application, logging_of_before, capsys):
    with (
        listening(Collector()) as (_, address),
        TestClient(application(otlp_endpoint=address), headers=TRACEPARENT) as client,
    ):
        logs.configure("test")
        capsys.readouterr()
        ask(client)
    printed = capsys.readouterr().err
    lines = [json.loads(line) for line in printed.splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["request_id"], line["route"], line["status"], line["trace_id"]) == ("mine", "/v1/ask", 200, TRACE)
    assert "snail" not in printed
