"""Freshness checked against a real broker, a real Postgres and real Delta tables, and alerts over real connections."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import write_deltalake
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from freshet import log
from freshet.contract import topics
from freshet.environment import as_text
from freshet.errors import TransientError
from freshet.settings import CHECKOUT, Settings, load_settings
from freshet.store.migrate import migrate
from freshet.upkeep import check_freshness
from freshet.upkeep.measuring import observe
from freshet.upkeep.observations import LakeSeen, LogSeen, StoreSeen
from local import broker as embedded_broker
from local.ports import find_free
from tests.api_builders import BagOfWords
from tests.conftest import free_settings, running
from tests.receiver import Receiver
from tests.serving import listening

pytestmark = pytest.mark.integration

PATIENCE_S = 60


@pytest.fixture(scope="module")
def own_broker(state_dir: Path) -> Iterator[Settings]:
    """A broker that no other test uses: these delete its topics."""
    settings = free_settings(state_dir / "freshness")
    embedded_broker.prepare(settings)
    with running(embedded_broker.declare(settings), settings):
        yield settings


@pytest.fixture
def platform(own_broker: Settings, database: str, tmp_path: Path) -> Settings:
    """A broker with empty topics, a migrated store, a lake and a state folder of this test's own."""
    migrate(database)
    empty_topics(own_broker)
    return own_broker.model_copy(
        update={
            "state_dir": tmp_path / "state",
            "postgres_dsn": SecretStr(database),
            "lake_root": f"file://{tmp_path}/lake",
            "indexer_group": f"group-{uuid.uuid4().hex}",
        }
    )


@pytest.fixture
def hook(platform: Settings) -> Iterator[tuple[Receiver, Settings]]:
    app = Receiver()
    with listening(app) as (_, address):
        yield app, platform.model_copy(update={"alert_webhook_url": SecretStr(f"{address}/hook")})


def empty_topics(settings: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    names = [topics.RAW, topics.SILVER, topics.GOLD, topics.REJECTED]
    for future in admin.delete_topics(names, operation_timeout=30).values():
        with suppress(KafkaException):
            future.result()
    deadline = time.monotonic() + PATIENCE_S
    while not all(led(admin, settings, name) for name in names):
        assert time.monotonic() < deadline
        with suppress(TransientError):
            log.ensure_topics(settings)


def led(admin: AdminClient, settings: Settings, name: str) -> bool:
    """Whether every partition of a topic has its leader."""
    topic = admin.list_topics(name, timeout=10).topics[name]
    leaders = [part.leader for part in topic.partitions.values()]
    return len(leaders) == settings.kafka_partitions and min(leaders) >= 0


class Edits:
    """Raw records, and what the serve query makes of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # the topics are new: what the client hears of them at first may be of those before
        self.producer = Producer(
            {"bootstrap.servers": settings.bootstrap_servers, "topic.metadata.refresh.interval.ms": 500}
        )
        self.places: list[tuple[int, int, datetime]] = []

    def receive(self, *ages_s: float) -> None:
        """One raw record so old, each to the next partition."""
        for number, age_s in enumerate(ages_s):
            moment = datetime.now(UTC) - timedelta(seconds=age_s)
            self._put(topics.RAW, b"{}", number % self.settings.kafka_partitions, moment, self._note)

    def serve(self, places: list[tuple[int, int, datetime]] | None = None) -> None:
        """Silver and gold of these raw records, or of all."""
        for partition, offset, moment in self.places if places is None else places:
            coordinates = {"raw_topic": topics.RAW, "raw_partition": partition, "raw_offset": offset}
            row = json.dumps(
                {**coordinates, "raw_timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"}
            )
            self._put(topics.SILVER, row.encode(), 0, datetime.now(UTC))
            self._put(topics.GOLD, row.encode(), 0, datetime.now(UTC))

    def reject(self, partition: int, offset: int) -> None:
        """The dead letter of a raw record."""
        headers = {topics.RAW_TOPIC: topics.RAW, topics.RAW_PARTITION: str(partition), topics.RAW_OFFSET: str(offset)}
        self._put(topics.REJECTED, b"{", 0, datetime.now(UTC), headers=headers)

    def _note(self, error: Any, message: Any) -> None:
        assert error is None
        moment = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
        self.places.append((message.partition(), message.offset(), moment))

    def _put(self, topic: str, value: bytes, partition: int, moment: datetime, note: Any = None, **more: Any) -> None:
        at_ms = round(moment.timestamp() * 1000)
        self.producer.produce(topic, value, partition=partition, timestamp=at_ms, on_delivery=note, **more)
        assert self.producer.flush(30) == 0


def index(settings: Settings, behind: int = 0) -> None:
    """The indexer commits all of gold but so many records."""
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": settings.indexer_group})
    parts = [TopicPartition(topics.GOLD, number) for number in range(settings.kafka_partitions)]
    for part in parts:
        first, end = consumer.get_watermark_offsets(part, timeout=20)
        part.offset = max(first, end - behind)
    consumer.commit(offsets=parts, asynchronous=False)
    consumer.close()


def lake(settings: Settings, until: datetime) -> None:
    """Bronze with a record of this time, in a file of its own."""
    row = pa.table({"kafka_timestamp": [until], "ingest_date": ["2026-11-23"]})
    write_deltalake(settings.lake.table("bronze"), row, mode="append", partition_by=["ingest_date"])


def seen(settings: Settings) -> LogSeen:
    found = observe(settings).log
    assert isinstance(found, LogSeen), found
    return found


def rows(settings: Settings, query: str) -> list[Any]:
    with psycopg.connect(settings.conninfo) as connection:
        return connection.execute(query.encode()).fetchall()


def breaches(report: dict[str, Any]) -> set[str]:
    return {one["name"] for one in report["breaches"]}


def test_what_flowed_through_owes_nothing(platform: Settings) -> None:
    edits = Edits(platform)
    edits.receive(*range(40, 0, -1))
    edits.serve()
    index(platform)
    lake(platform, edits.places[-1][2])
    found = seen(platform)
    assert (found.unserved.records, found.unindexed.records, found.received) == (0, 0, 40)
    assert found.unlaked is not None
    assert found.unlaked.records == 0
    report = check_freshness.run(platform)
    assert (report["state"], report["kept"], report["breaches"]) == ("ok", "ok", [])
    assert {check["state"] for check in report["checks"]} == {"ok", "quiet"}


def test_raw_records_behind_the_newest_that_was_served_are_owed_with_the_age_of_the_oldest(platform: Settings) -> None:
    edits = Edits(platform)
    edits.receive(900, 800, 700, 600, 500, 400)
    edits.serve(edits.places[:3])
    unserved = seen(platform).unserved
    assert unserved.records == 3
    assert unserved.oldest_at is not None
    assert (datetime.now(UTC) - unserved.oldest_at).total_seconds() == pytest.approx(600, abs=30)


def test_a_serve_query_that_works_through_a_backlog_owes_although_it_writes_now(platform: Settings) -> None:
    edits = Edits(platform)
    edits.receive(*[3600] * 50, 1)
    edits.serve(edits.places[:50])
    report = check_freshness.run(platform)
    assert seen(platform).unserved.records == 1
    assert "silver_age" not in breaches(report), "it is owed for a second only"
    edits.receive(120)
    assert {"searchable_age", "silver_age"} <= breaches(check_freshness.run(platform))


def test_raw_records_whose_last_ones_were_rejected_owe_nothing(platform: Settings) -> None:
    edits = Edits(platform)
    edits.receive(9, 8, 7)
    edits.serve(edits.places[:2])
    assert seen(platform).unserved.records == 1
    edits.reject(*edits.places[2][:2])
    assert seen(platform).unserved.records == 0


def test_what_bronze_does_not_have_is_owed_to_the_lake(platform: Settings) -> None:
    edits = Edits(platform)
    edits.receive(500, 400, 300)
    before = seen(platform).unlaked
    lake(platform, edits.places[1][2])
    after = seen(platform).unlaked
    assert before is not None
    assert after is not None
    assert (before.records, after.records) == (3, 1)


def test_a_stream_that_fell_silent_is_told_of_by_its_silence_alone(platform: Settings) -> None:
    edits = Edits(platform)
    edits.receive(*[7200] * 5)
    edits.serve()
    index(platform)
    lake(platform, edits.places[-1][2])
    assert breaches(check_freshness.run(platform)) == {"source_silence"}


def test_a_stuck_indexer_begins_one_breach_with_one_alert_and_ends_it_when_it_has_caught_up(
    hook: tuple[Receiver, Settings],
) -> None:
    app, platform = hook
    platform = platform.model_copy(update={"sla_lag_s": 0.5, "sla_searchable_age_s": 3600.0})
    edits = Edits(platform)
    edits.receive(1)
    edits.serve()
    index(platform)
    lake(platform, datetime.now(UTC) + timedelta(minutes=5))
    assert check_freshness.run(platform)["state"] == "ok"
    edits.receive(0, 0, 0)
    edits.serve(edits.places[1:])
    deadline = time.monotonic() + PATIENCE_S
    while not breaches(report := check_freshness.run(platform)):
        assert time.monotonic() < deadline
    assert (report["begun"], report["state"]) == (["indexer_lag"], "breach")
    for _ in range(3):
        report = check_freshness.run(platform)
        assert (report["begun"], report["ended"], breaches(report)) == ([], [], {"indexer_lag"})
    assert [body["event"] for body in app.bodies] == ["begun"]
    index(platform)
    report = check_freshness.run(platform)
    assert (report["ended"], report["state"]) == (["indexer_lag"], "ok")
    check_freshness.run(platform)
    assert [body["event"] for body in app.bodies] == ["begun", "ended"]
    ((name, ended, told_begin, told_end),) = rows(
        platform, "SELECT name, ended_at > begun_at, told_begin, told_end FROM sla_breaches"
    )
    assert (name, ended, told_begin, told_end) == ("indexer_lag", True, ["webhook"], ["webhook"])
    assert rows(platform, "SELECT DISTINCT state FROM sla_checks WHERE name = 'indexer_lag' ORDER BY 1") == [
        ("breach",), ("ok",)
    ]  # fmt: skip


def test_a_webhook_that_is_down_is_told_at_the_next_check_and_then_no_more(hook: tuple[Receiver, Settings]) -> None:
    app, platform = hook
    app.status = 503
    assert check_freshness.run(platform)["alerts"] == {"webhook": "it answered 503"}
    refused = len(app.bodies)
    app.status = 200
    for _ in range(3):
        assert check_freshness.run(platform)["alerts"] == {"webhook": "ok"}
    assert len(app.bodies) == refused + 1
    assert app.bodies[-1]["check"] == "source_silence"


def test_postgres_away_is_one_alert_and_its_return_another(hook: tuple[Receiver, Settings]) -> None:
    app, platform = hook
    (port,) = find_free(1)
    away = platform.model_copy(update={"postgres_dsn": SecretStr(f"postgresql://x@127.0.0.1:{port}/x")})
    check_freshness.run(platform)
    assert [body["check"] for body in app.bodies] == ["source_silence"]
    for _ in range(3):
        report = check_freshness.run(away)
        assert breaches(report) == {"source_silence", "postgres"}
        assert report["kept"].startswith("only in ")
    assert [body["check"] for body in app.bodies] == ["source_silence", "postgres"]
    report = check_freshness.run(platform)
    assert (report["ended"], report["kept"]) == (["postgres"], "ok")
    assert [(body["check"], body["event"]) for body in app.bodies[2:]] == [("postgres", "ended")]
    assert rows(platform, "SELECT name, ended_at IS NULL FROM sla_breaches ORDER BY begun_at") == [
        ("source_silence", True), ("postgres", False)
    ]  # fmt: skip


def test_with_everything_away_it_says_so_in_time_and_raises_nothing(tmp_path: Path) -> None:
    commits = tmp_path / "lake" / "bronze" / "_delta_log"
    commits.mkdir(parents=True)
    (commits / f"{0:020}.json").write_text("no commit")
    (port,) = find_free(1)
    settings = load_settings(
        state_dir=tmp_path / "state",
        kafka_bootstrap_servers=f"127.0.0.1:{port}",
        postgres_dsn=SecretStr(f"postgresql://x@127.0.0.1:{port}/x"),
        lake_root=f"file://{tmp_path}/lake",
        sla_timeout_s=2,
    )
    begun = time.monotonic()
    report = check_freshness.run(settings)
    assert time.monotonic() - begun < 20
    assert breaches(report) == {"kafka", "postgres", "lake"}
    assert json.loads(json.dumps(report)) == report


def test_the_lake_and_the_store_are_measured(platform: Settings) -> None:
    edits = Edits(platform)
    edits.receive(1)
    for layer in ("silver", "gold"):
        write_deltalake(platform.lake.table(layer), pa.table({"event_id": ["a"]}), mode="append")
    for _ in range(3):
        write_deltalake(platform.lake.table("gold"), pa.table({"event_id": ["b"]}), mode="append")
    lake(platform, edits.places[0][2])
    found = observe(platform)
    assert isinstance(found.lake, LakeSeen)
    assert found.lake.logged_until == edits.places[0][2]
    assert found.lake.small_files == 4
    assert found.lake.small_since is not None
    assert isinstance(found.store, StoreSeen)
    assert (found.store.pending, found.store.searchable_at) == (0, None)


def test_the_api_shows_what_the_last_check_found(platform: Settings) -> None:
    with TestClient(create_app(platform, BagOfWords())) as client:
        assert "freshet_sla_breach{" not in client.get("/metrics").text
        edits = Edits(platform)
        edits.receive(900)
        check_freshness.run(platform)
        shown = client.get("/metrics").text
        assert 'freshet_sla_breach{check="silver_age"} 1.0' in shown
        assert 'freshet_sla_breach{check="kafka"} 0.0' in shown
        (value,) = [
            line.split()[1] for line in shown.splitlines() if line.startswith('freshet_sla_value{check="silver_age"}')
        ]
        assert float(value) == pytest.approx(900, abs=60)
        edits.serve()
        check_freshness.run(platform)
        assert 'freshet_sla_breach{check="silver_age"} 0.0' in client.get("/metrics").text


def test_the_command_prints_one_report_and_ends_with_1_while_anything_is_in_breach(platform: Settings) -> None:
    changed = {name: as_text(getattr(platform, name)) for name in platform.model_fields_set}
    environment = {f"FRESHET_{name.upper()}": value for name, value in changed.items()}
    done = subprocess.run(
        [sys.executable, "-m", "freshet.upkeep.check_freshness"],
        cwd=CHECKOUT, env=environment, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr.decode()
    report = json.loads(done.stdout)
    assert breaches(report) == {"source_silence"}
