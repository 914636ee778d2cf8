"""Postgres comes and goes under a running API; and the process itself comes and goes."""

import signal
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from api.app import create_app
from freshet.store.migrate import migrate
from local import postgres
from tests.api_builders import BagOfWords
from tests.api_serving import process
from tests.conftest import free_settings, running

pytestmark = pytest.mark.integration


@retry(retry=retry_if_result(lambda right: not right), wait=wait_fixed(0.1), stop=stop_after_delay(120))
def until(client: TestClient, status: int) -> bool:
    return client.get("/readyz").status_code == status


def test_readiness_follows_postgres_down_and_up_again(state_dir: Path):
    settings = free_settings(state_dir / "readiness")
    with TestClient(create_app(settings, BagOfWords())) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        postgres.prepare(settings)
        with running(postgres.declare(settings), settings):
            until(client, 503)
            migrate(settings.conninfo)
            until(client, 200)
            assert client.post("/v1/search", json={"query": "anything"}).status_code == 200
        until(client, 503)
        assert client.post("/v1/search", json={"query": "anything"}).status_code == 503
        with running(postgres.declare(settings), settings):
            until(client, 200)
            assert client.post("/v1/search", json={"query": "anything"}).status_code == 200


def test_the_process_serves_without_postgres_and_ends_well_when_told_to(tmp_path: Path):
    with process(tmp_path) as (api, _):
        api.send_signal(signal.SIGTERM)
        assert api.wait(timeout=60) == 0, (tmp_path / "api.log").read_text()
