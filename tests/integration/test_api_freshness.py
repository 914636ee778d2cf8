"""Every layer's freshness and the indexer's lag, from a real broker, real Delta tables and a real Postgres."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.layers.broker import Broker
from freshet.contract import topics
from freshet.settings import Settings, load_settings
from freshet.store.migrate import migrate
from local import overview
from tests.api_builders import BagOfWords, insert
from tests.documents import document
from tests.log_builders import commit, produce

pytestmark = pytest.mark.integration


@pytest.fixture
def fresh(settings: Settings, database: str, tmp_path: Path) -> Settings:
    """Settings of a running broker, a migrated store, a lake and an indexer's group of this test's own."""
    migrate(database)
    return settings.model_copy(
        update={
            "postgres_dsn": SecretStr(database),
            "lake_root": f"file://{tmp_path}/lake",
            "indexer_group": f"group-{uuid.uuid4().hex}",
        }
    )


@pytest.fixture
def client(fresh: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(fresh, BagOfWords())) as client:
        yield client


def freshness(client: TestClient) -> dict[str, Any]:
    response = client.get("/v1/freshness")
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_the_log_is_told_topic_by_topic_with_the_time_of_its_newest_record(fresh: Settings, client: TestClient) -> None:
    produce(fresh, topics.RAW, datetime.now(UTC))
    before = Broker(fresh).look().log.raw.records
    assert before is not None
    newest = datetime.now(UTC) + timedelta(minutes=5)
    produce(fresh, topics.RAW, newest - timedelta(hours=1), newest)
    produce(fresh, topics.RAW, newest - timedelta(hours=2), partition=1)
    raw = freshness(client)["layers"]["log"]["raw"]
    assert (raw["status"], raw["records"]) == ("ok", before + 3)
    assert abs(datetime.fromisoformat(raw["newest_at"]) - newest) < timedelta(milliseconds=2)
    assert raw["age_seconds"] == 0


def test_the_lag_is_what_the_indexer_has_not_committed_and_how_old_the_oldest_is(
    fresh: Settings, client: TestClient
) -> None:
    now = datetime.now(UTC)
    produce(fresh, topics.GOLD, now - timedelta(hours=3), now - timedelta(minutes=2), now)
    produce(fresh, topics.GOLD, now, partition=1)
    commit(fresh, {0: 2, 1: 1})
    lag = freshness(client)["lag"]
    assert (lag["group"], lag["status"], lag["records"]) == (fresh.indexer_group, "ok", 3)
    assert lag["partitions"] == {"0": 2, "1": 1, "2": 0, "3": 0}
    assert lag["seconds"] == pytest.approx(120, abs=20)


def test_an_indexer_that_has_all_lags_by_nothing(fresh: Settings, client: TestClient) -> None:
    produce(fresh, topics.GOLD, datetime.now(UTC))
    commit(fresh, {})
    lag = freshness(client)["lag"]
    assert (lag["records"], lag["seconds"]) == (0, 0)


def test_an_indexer_that_was_never_there_lags_by_all(fresh: Settings, client: TestClient) -> None:
    produce(fresh, topics.GOLD, datetime.now(UTC))
    body = freshness(client)
    assert body["lag"]["records"] == body["layers"]["log"]["gold"]["records"] > 0


def test_a_table_is_as_fresh_as_its_newest_commit(fresh: Settings, client: TestClient) -> None:
    for _ in range(3):
        write_deltalake(fresh.lake.table("silver"), pa.table({"event_id": ["a"]}), mode="append")
    lake = freshness(client)["layers"]["lake"]
    assert (lake["silver"]["status"], lake["silver"]["version"]) == ("ok", 2)
    assert 0 <= lake["silver"]["age_seconds"] < 60
    assert lake["gold"] == {
        "status": "not yet in the lake", "version": None, "committed_at": None, "age_seconds": None
    }  # fmt: skip


def test_what_can_be_found_is_a_layer_too(fresh: Settings, client: TestClient) -> None:
    insert(fresh.conninfo, document(searchable_at=datetime.now(UTC) - timedelta(seconds=30)))
    searchable = freshness(client)["layers"]["searchable"]
    assert searchable["documents"] == 1
    assert searchable["age_seconds"] == pytest.approx(30, abs=20)


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
def test_after_a_jump_of_the_clock_no_age_and_no_delay_is_negative(
    fresh: Settings, client: TestClient, jump: timedelta
) -> None:
    """What was written before a jump back is of the future then; what was before a jump forward is old."""
    now = datetime.now(UTC)
    before = now - jump
    produce(fresh, topics.GOLD, before)
    commit(fresh, {0: 1})
    insert(fresh.conninfo, document(received_at=before, event_time=before, searchable_at=now))
    insert(fresh.conninfo, document(received_at=before, event_time=before, searchable_at=before))
    body = freshness(client)
    numbers = [value for _, value in named_numbers(body)]
    assert min(numbers) >= 0, body
    assert (body["documents"], body["lag"]["records"]) == (2, 1)
    pipeline = client.get("/v1/pipeline")
    assert pipeline.status_code == 200
    assert [name for name, value in named_numbers(pipeline.json()) if value < 0] == []


def named_numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from named_numbers(member, f"{name}/{key}")
    elif isinstance(value, list):
        for member in value:
            yield from named_numbers(member, name)
    elif isinstance(value, int | float):
        yield name, value


def test_without_broker_and_lake_it_says_so_soon_and_still_answers(database: str, tmp_path: Path) -> None:
    migrate(database)
    (tmp_path / "lake").write_text("no folder")
    settings = load_settings(
        kafka_bootstrap_servers="127.0.0.1:1", postgres_dsn=SecretStr(database), lake_root=f"file://{tmp_path}/lake"
    )
    with TestClient(create_app(settings, BagOfWords())) as client:
        begun = time.monotonic()
        body = freshness(client)
        ready = client.get("/readyz")
        assert time.monotonic() - begun < 5
    assert {topic["status"][:22] for topic in body["layers"]["log"].values()} == {"Kafka does not answer:"}
    assert body["lag"]["status"].startswith("Kafka does not answer:")
    assert all(table["status"] != "ok" for table in body["layers"]["lake"].values())
    assert body["documents"] == 0
    assert ready.status_code == 200
    assert ready.json()["dependencies"]["kafka"].startswith("does not answer")


def test_readiness_names_a_broker_that_is_there(client: TestClient) -> None:
    dependencies = client.get("/readyz").json()["dependencies"]
    assert (dependencies["postgres"], dependencies["kafka"]) == ("ok", "ok")
    assert dependencies["embedding"].startswith("no embedding model is active")


def test_status_shows_a_line_for_each_layer(fresh: Settings, client: TestClient) -> None:
    produce(fresh, topics.SILVER, datetime.now(UTC))
    lines = list(overview.lines(freshness(client)))
    assert any(line.startswith("log silver: ") and " records, the newest " in line for line in lines)
    assert "lake bronze: not yet in the lake" in lines
    assert any(line.startswith("not indexed yet: ") for line in lines)
    assert not any("{" in line for line in lines if line.startswith(("log", "lake", "not")))
