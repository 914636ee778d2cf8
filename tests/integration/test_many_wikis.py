"""Ten thousand wikis, ten times as many as there are: what is labelled and answered stays as small as before."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY, generate_latest

from freshet.store.repository import Deletion
from indexer.batch import index
from indexer.store import Store
from tests.api_builders import BagOfWords
from tests.documents import gold
from tests.indexer_builders import models_of
from tests.integration.conftest import Application

pytestmark = pytest.mark.integration

WIKIS = 10_000
BATCH = 1_000
MOST_BYTES = 64_000


def edit(number: int) -> dict[str, Any]:
    return gold(wiki=f"w{number}wiki", language=f"l{number}", event_time=datetime.now(UTC), text="the long canal")


def test_metrics_have_no_label_for_each_and_answers_are_bounded(application: Application, store: str) -> None:
    writer = Store(store)
    models = models_of(writer, BagOfWords())
    index([edit(0), edit(1), Deletion("nothing")], writer, models)
    with TestClient(application(None)) as client:
        before = asked(client)
        for first in range(2, WIKIS, BATCH):
            index([edit(number) for number in range(first, min(first + BATCH, WIKIS))], writer, models)
        after = asked(client)
        last = client.post("/v1/search", json={"query": "canal", "filters": {"wikis": [f"w{WIKIS - 1}wiki"]}})
        stats = client.get("/v1/stats").json()
    writer.close()
    assert after["metrics"] == before["metrics"]
    assert stats["documents"] == WIKIS
    assert max(after.values()) < MOST_BYTES
    assert last.status_code == 200, last.text
    assert [found["wiki"] for found in last.json()["results"]] == [f"w{WIKIS - 1}wiki"]


def asked(client: TestClient) -> dict[str, int]:
    """How many lines of metrics there are, and the bytes of what the API answers."""
    answers = [client.get(path) for path in ("/v1/stats", "/v1/freshness", "/v1/pipeline")]
    answers.append(client.post("/v1/search", json={"query": "canal", "limit": 50}))
    assert {answer.status_code for answer in answers} == {200}
    sizes = {str(answer.request.url.path): len(answer.content) for answer in answers[:3]}
    return {"metrics": len(generate_latest(REGISTRY).splitlines()), **sizes}
