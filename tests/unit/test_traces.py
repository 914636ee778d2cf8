"""Traces are off unless a collector is named: then nothing of the SDK is loaded, and a request bears no header."""

import asyncio
import subprocess
import sys

import httpx
import pytest

from freshet.settings import CHECKOUT, load_settings
from freshet.telemetry import traces
from ui.client import Client

PROCESS = """
import sys
from fastapi.testclient import TestClient
from freshet.settings import load_settings
from {room}.app import create_app

with TestClient(create_app(load_settings(postgres_dsn="postgresql://127.0.0.1:1/nothing?connect_timeout=1"))) as client:
    client.get("/healthz")
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""


@pytest.mark.parametrize("room", ["api", "ui"])
def test_without_a_collector_nothing_is_loaded_for_traces(room: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROCESS.format(room=room)], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9"])
def test_the_pages_send_their_trace_along_when_there_is_one(endpoint: str) -> None:
    settings = load_settings(otlp_endpoint=endpoint)
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={})

    async def ask() -> str | None:
        client = Client(settings)
        client._http = httpx.AsyncClient(base_url="http://api", transport=httpx.MockTransport(answer))
        with traces.span("page") as page:
            await client.get("/v1/stats")
            return traces.trace_id(page)

    with traces.configured("ui", settings):
        trace_id = asyncio.run(ask())
    assert seen[0].get("traceparent", "").split("-")[1:2] == ([trace_id] if endpoint else [])
