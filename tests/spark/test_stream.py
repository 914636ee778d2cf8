"""The application with a real broker: both queries, a restart, a drain."""

import time

import pytest
from confluent_kafka import KafkaException, Producer
from deltalake import DeltaTable
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

import freshet.log
from freshet.contract import topics
from freshet.errors import ConfigError
from freshet.offsets import Offsets
from freshet.settings import load_settings
from freshet.spark import CORES
from freshet.upkeep.log_state import LogState
from spark_jobs.drain import drain
from spark_jobs.lake import TOPICS
from spark_jobs.listener import ProgressListener
from spark_jobs.source import read_stream
from spark_jobs.stream import check_slots, slots, start
from spark_jobs.tables import create_tables
from tests.spark.builders import Record, event, raw

pytestmark = [pytest.mark.spark, pytest.mark.integration]


@pytest.fixture
def stack(settings, tmp_path):
    """The broker's settings with a lake of the test's own, which commits every second."""
    return settings.model_copy(update={"lake_root": f"file://{tmp_path}/lake", "lake_interval_s": 1})


def send(settings, records):
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for record in records:
        producer.produce(record.topic, key=record.key, value=record.value, headers=record.headers)
    assert producer.flush(30) == 0


def ids(settings, layer, column):
    return [
        row[column] for row in DeltaTable(settings.lake.table(layer)).to_pyarrow_table(columns=[column]).to_pylist()
    ]


def until(condition, what):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


# a broker that has just started does not lead its partitions yet
@retry(retry=retry_if_exception_type(KafkaException), wait=wait_fixed(0.1), stop=stop_after_delay(60))
def count(settings, topic):
    reader = freshet.log.reader(settings)
    try:
        return sum(end - first for first, end in freshet.log.watermarks(reader, topic).values())
    finally:
        reader.close()


def behind(settings):
    """Raw records that the lake query has not noted on the broker."""
    return LogState(settings, Offsets(settings), time.monotonic() + 20).uncommitted(topics.LAKE_GROUP, topics.RAW)


@pytest.mark.parametrize("mode", ["realtime", pytest.param("microbatch", marks=pytest.mark.long)])
def test_both_queries_write_what_comes_and_go_on_after_a_restart(request, spark, stack, mode):
    here = stack.model_copy(update={"serve_mode": mode})
    gold_before = count(here, topics.GOLD)
    listener = ProgressListener(here)
    spark.streams.addListener(listener)
    request.addfinalizer(lambda: spark.streams.removeListener(listener))
    for round_ in range(2):
        queries = start(spark, here)
        try:
            name = f"{mode}-{round_}"
            send(here, [raw(event(meta__id=name)), Record(b"no JSON"), raw(event(meta__domain="canary"))])
            until(lambda: name in ids(here, "gold", "doc_id"), "the lake has no document")  # noqa: B023
            until(lambda: count(here, topics.GOLD) > gold_before + round_, "the topic has no document")  # noqa: B023
            until(lambda: behind(here) == 0, "the broker does not know how far the lake query is")
            assert all(query.isActive for query in queries)
        finally:
            for query in queries:
                query.stop()
    doc_ids = ids(here, "gold", "doc_id")
    assert len(doc_ids) == len(set(doc_ids))


def test_a_drain_writes_all_there_is_and_ends(spark, stack):
    send(stack, [raw(event(meta__id=f"drained-{number}")) for number in range(20)])
    create_tables(spark, stack.lake)
    drain(read_stream(spark, stack, TOPICS, 1000), stack)
    assert {f"drained-{number}" for number in range(20)} <= set(ids(stack, "silver", "event_id"))
    assert len(ids(stack, "bronze", "offset")) == count(stack, topics.RAW)


def test_without_a_master_there_are_slots_beside_those_that_real_time_mode_holds():
    here = load_settings(kafka_partitions=4)
    assert slots(here, ["serve"]) == 5
    assert slots(here, ["serve", "lake"]) == 5 + CORES
    assert slots(here, ["lake"]) == CORES
    assert slots(here.model_copy(update={"serve_mode": "microbatch"}), ["serve"]) == CORES


def test_too_few_slots_for_real_time_mode_stop_the_start():
    with pytest.raises(ConfigError, match="SPARK_MASTER"):
        check_slots(load_settings(spark_master="local[4]", kafka_partitions=4))
    check_slots(load_settings(spark_master="local[5]", kafka_partitions=4))
    check_slots(load_settings(spark_master="local[2]", kafka_partitions=4, serve_mode="microbatch"))
    check_slots(load_settings(spark_master="spark://127.0.0.1:7077", kafka_partitions=4))
