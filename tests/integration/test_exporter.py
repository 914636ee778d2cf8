"""What the exporter shows is what the broker, the lake, Postgres and Airflow say, and nothing of who is away."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka import Producer
from deltalake import write_deltalake
from prometheus_client import REGISTRY
from pyarrow import table
from pydantic import SecretStr

from freshet import log
from freshet.contract import topics
from freshet.offsets import Offsets
from freshet.settings import Settings
from freshet.store.migrate import migrate
from monitoring import silver
from monitoring.airflow import Upkeep
from monitoring.kafka import Log
from monitoring.lake import Lake
from monitoring.store import Store
from monitoring.watching import Target, look
from tests.airflow_server import PASSWORD, AirflowServer
from tests.log_builders import commit, produce, serve
from tests.producing import until
from tests.serving import listening

pytestmark = pytest.mark.integration

NOWHERE = "127.0.0.1:9"


def shown(name: str, **labels: object) -> float | None:
    return REGISTRY.get_sample_value(name, {label: str(value) for label, value in labels.items()})


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with groups and a lake of the test's own."""
    return settings.model_copy(update={"state_dir": tmp_path, "indexer_group": f"group-{uuid.uuid4().hex}"})


def lags(settings: Settings) -> dict[int, float | None]:
    group = settings.indexer_group
    numbers = range(settings.kafka_partitions)
    return {
        number: shown("kafka_consumergroup_group_lag", group=group, topic=topics.GOLD, partition=number)
        for number in numbers
    }


def truth(settings: Settings) -> dict[int, int]:
    """Watermarks minus what the group has processed, asked of the broker in another way."""
    reader = log.reader(settings, settings.indexer_group)
    marks = log.watermarks(reader, topics.GOLD)
    committed = reader.committed(log.partitions(reader, topics.GOLD), timeout=20)
    reader.close()
    return {part.partition: marks[part.partition][1] - max(part.offset, marks[part.partition][0]) for part in committed}


def test_the_lag_shown_is_the_brokers_while_a_backlog_drains(own: Settings) -> None:
    commit(own, {})
    now = datetime.now(UTC)
    for number in range(own.kafka_partitions):
        produce(own, topics.GOLD, *[now - timedelta(seconds=90)] * (5 + number), partition=number)
    exporter = Log(own)
    for left in ({}, {0: 4, 1: 6, 2: 7, 3: 8}, {0: 1, 1: 6, 3: 2}):
        if left:
            commit(own, left)
        exporter.look()
        assert lags(own) == truth(own)
    waited = shown("kafka_consumergroup_group_lag_seconds", group=own.indexer_group, topic=topics.GOLD, partition=1)
    assert waited == pytest.approx(90, abs=20)
    assert shown("kafka_consumergroup_group_lag_seconds", group=own.indexer_group, topic=topics.GOLD, partition=2) == 0


def test_the_serve_query_is_as_far_as_it_has_written_between_two_reports(own: Settings) -> None:
    produce(own, topics.RAW, datetime.now(UTC), datetime.now(UTC))
    exporter = Log(own)
    serve(own)
    produce(own, topics.RAW, datetime.now(UTC))
    exporter.look()
    assert shown("kafka_consumergroup_group_lag", group=topics.SERVE_GROUP, topic=topics.RAW, partition=0) == 1


def test_what_a_query_notes_on_the_broker_is_what_it_has_processed(own: Settings) -> None:
    produce(own, topics.RAW, datetime.now(UTC), datetime.now(UTC))
    offsets, deadline = Offsets(own), time.monotonic() + 20
    (end,) = {marks.end for number, marks in offsets.marks([topics.RAW], deadline)[topics.RAW].items() if number == 0}
    offsets.note(topics.LAKE_GROUP, {topics.RAW: {0: end - 2}}, deadline)
    Log(own).look()
    assert shown("kafka_consumergroup_group_lag", group=topics.LAKE_GROUP, topic=topics.RAW, partition=0) == 2
    assert shown("kafka_consumergroup_group_offset", group=topics.LAKE_GROUP, topic=topics.RAW, partition=0) == end - 2


def test_a_broker_that_is_away_shows_nothing_rather_than_what_was(own: Settings) -> None:
    Log(own).look()
    away = own.model_copy(update={"kafka_bootstrap_servers": NOWHERE, "sla_timeout_s": 0.5})
    assert not look(Target("kafka", Log(away).look, 1), was_well=True)
    assert shown("freshet_exporter_up", target="kafka") == 0
    assert shown("kafka_partition_latest_offset", topic=topics.RAW, partition=0) is None


def test_a_look_that_goes_wrong_in_any_way_says_so_and_is_made_again() -> None:
    def answer() -> None:
        raise KeyError("what nobody expected")

    assert not look(Target("disk", answer, 1), was_well=True)
    assert shown("freshet_exporter_up", target="disk") == 0
    assert look(Target("disk", lambda: None, 1), was_well=False)
    assert shown("freshet_exporter_up", target="disk") == 1


def test_tables_of_the_lake_are_shown_as_they_grow(own: Settings) -> None:
    lake = Lake(own)
    lake.look()
    for number in range(2):
        write_deltalake(own.lake.table("gold"), table({"doc_id": [str(number)]}), mode="append")
        lake.look()
        assert shown("freshet_table_version", layer="gold") == number
        assert shown("freshet_table_files", layer="gold") == number + 1
    assert shown("freshet_table_small_files", layer="gold") == 2
    assert (shown("freshet_table_bytes", layer="gold") or 0) > 0
    assert shown("freshet_table_commit_timestamp_seconds", layer="gold") == pytest.approx(time.time(), abs=60)


def test_postgres_is_up_with_its_size_and_down_when_it_is_away(own: Settings, database: str) -> None:
    migrate(database)
    here = own.model_copy(update={"postgres_dsn": SecretStr(database)})
    assert look(Target("postgres", Store(here).look, 1), was_well=True)
    assert (shown("freshet_postgres_database_bytes") or 0) > 1_000_000
    assert shown("freshet_postgres_removed_waiting_events") == 0
    assert shown("freshet_postgres_removed_since_timestamp_seconds") == pytest.approx(time.time(), abs=60)
    assert 0 < (shown("freshet_postgres_connections") or 0) < (shown("freshet_postgres_max_connections") or 0)
    away = own.model_copy(update={"postgres_dsn": SecretStr("postgresql://nobody@127.0.0.1:9/none")})
    assert not look(Target("postgres", Store(away).look, 1), was_well=True)
    assert shown("freshet_exporter_up", target="postgres") == 0


def test_airflows_heartbeats_and_the_runs_of_its_dags_are_shown(own: Settings) -> None:
    with listening(AirflowServer()) as (_, address):
        at = own.model_copy(update={"airflow_url": address, "airflow_password": SecretStr(PASSWORD)})
        assert look(Target("airflow", Upkeep(at).look, 1), was_well=True)
    heartbeat = shown("freshet_airflow_heartbeat_timestamp_seconds", component="scheduler")
    assert heartbeat == datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
    assert shown("freshet_airflow_dag_runs", dag_id="check_freshness", state="success") == 3
    assert shown("freshet_airflow_last_run_seconds", dag_id="check_freshness") == 4
    assert not look(Target("airflow", Upkeep(at).look, 1), was_well=True)
    assert shown("freshet_airflow_heartbeat_timestamp_seconds", component="scheduler") is None


def test_how_old_events_are_when_they_reach_silver_is_observed_but_not_of_a_backfill(own: Settings) -> None:
    def observed() -> float:
        return shown("freshet_freshness_seconds_count", stage=silver.STAGE) or 0

    before, stopping = observed(), Event()
    thread = silver.follow(own, stopping)
    received = (datetime.now(UTC) - timedelta(seconds=2)).isoformat()
    producer = Producer({"bootstrap.servers": own.bootstrap_servers})

    def seen() -> bool:
        for source in ("recording", topics.BACKFILL):
            producer.produce(topics.SILVER, json.dumps({"source": source, "received_at": received}), partition=0)
        producer.produce(topics.SILVER, b"no event", partition=0)
        producer.flush(20)
        return observed() > before

    until(seen)
    stopping.set()
    thread.join(20)
    assert not thread.is_alive()
    taken = (shown("freshet_freshness_seconds_sum", stage=silver.STAGE) or 0) / observed()
    assert taken < 60
