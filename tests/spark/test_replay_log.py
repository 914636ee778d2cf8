"""A replay at a real broker: from the log, from bronze once the log has let go, and out to wiki.gold."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pyspark.sql import DataFrame, SparkSession

import freshet.log
from freshet.contract import topics
from freshet.settings import Settings
from freshet.store.repository import Deletion
from freshet.upkeep.locate import plan_replay
from freshet.upkeep.replay import Chunk, Offsets, Range, chunk_from
from indexer.decode import decode
from spark_jobs.batch import write_batch
from spark_jobs.chunk import read_chunk
from spark_jobs.replay import run
from spark_jobs.replay_report import KeptReport
from spark_jobs.tables import create_tables
from tests.spark.builders import Record, event, payload

pytestmark = [pytest.mark.spark, pytest.mark.integration]

PAYLOADS = [payload(event(meta__id=f"log-{number}", title=f"Page {number}")) for number in range(6)]
PAYLOADS += [payload(event(meta__id="log-talk", namespace=1, title="Talk")), b"\xff"]


@pytest.fixture
def consumer(settings: Settings) -> Iterator[Consumer]:
    made = freshet.log.reader(settings)
    yield made
    made.close()


@pytest.fixture
def produced(settings: Settings, consumer: Consumer) -> Range:
    """Where PAYLOADS are."""
    first = freshet.log.watermarks(consumer, topics.RAW)[0][1]
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for number, value in enumerate(PAYLOADS):
        key = f"enwiki:{number}".encode()
        producer.produce(topics.RAW, value, key=key, headers=Record(value).headers, partition=0)
    assert producer.flush(60) == 0
    return Range(0, first, first + len(PAYLOADS) - 1)


@pytest.fixture
def lake(spark: SparkSession, settings: Settings, produced: Range, tmp_path: Path) -> Settings:
    """Settings with a lake of the test's own that holds PAYLOADS."""
    mine = settings.model_copy(update={"lake_root": f"file://{tmp_path}/lake"})
    create_tables(spark, mine.lake)
    reader = spark.read.format("kafka").option("kafka.bootstrap.servers", settings.bootstrap_servers)
    for option, value in (("assign", [0]), ("startingOffsets", {"0": produced.first})):
        reader = reader.option(option, json.dumps({topics.RAW: value}))
    write_batch(reader.option("includeHeaders", "true").load(), mine.lake, mine.document_rule)
    return mine


@pytest.fixture
def sent(settings: Settings, consumer: Consumer) -> Callable[[], list[Message]]:
    """The records that came to wiki.gold since the test began."""
    starts = {number: end for number, (_, end) in freshet.log.watermarks(consumer, topics.GOLD).items()}

    def read() -> list[Message]:
        ends = {number: end for number, (_, end) in freshet.log.watermarks(consumer, topics.GOLD).items()}
        consumer.assign([TopicPartition(topics.GOLD, number, offset) for number, offset in starts.items()])
        found: list[Message] = []
        while len(found) < sum(ends.values()) - sum(starts.values()):
            message = consumer.poll(60)
            assert message is not None
            found += [] if message.error() else [message]
        return found

    return read


def ordered(rows: DataFrame) -> list[Any]:
    return sorted(map(str, rows.collect()))


def apply(spark: SparkSession, settings: Settings, chunk: Chunk) -> dict[str, Any]:
    return dict(run(spark, settings, chunk, KeptReport("", "replay", "", chunk.name, dry_run=False), examples=0))


def test_records_from_bronze_are_the_records_of_the_log(spark: SparkSession, lake: Settings, produced: Range) -> None:
    of_log = ordered(read_chunk(spark, lake, Chunk("log", (produced,))))
    assert len(of_log) == len(PAYLOADS)
    assert ordered(read_chunk(spark, lake, Chunk("bronze", (produced,)))) == of_log
    apart = (produced._replace(last=produced.first), produced._replace(first=produced.last))
    assert len(ordered(read_chunk(spark, lake, Chunk("log", apart)))) == 2


def test_changed_documents_reach_the_topic_and_so_does_their_end(
    spark: SparkSession, lake: Settings, produced: Range, sent: Callable[[], list[Message]]
) -> None:
    (chunk,) = plan_replay(lake, Offsets((produced,))).chunks
    assert chunk.source == "log"
    talk = lake.model_copy(update={"gold_namespaces": (1,)})
    found = apply(spark, talk, chunk_from(json.dumps(chunk.as_json())))
    assert (found["republished"], found["removed"], found["missing"]) == (1, 6, 0)
    by_key = {message.key(): decode(message.value(), 0) for message in sent()}
    assert by_key == {
        **{f"enwiki:{number}".encode(): Deletion(f"log-{number}") for number in range(6)},
        b"enwiki:6": by_key[b"enwiki:6"],
    }
    assert by_key[b"enwiki:6"]["doc_id"] == "log-talk"
    apply(spark, lake, chunk)
    where: dict[bytes | str | None, set[int | None]] = {}
    for message in sent():
        where.setdefault(message.key(), set()).add(message.partition())
    assert len(sent()) == 14
    assert all(len(partitions) == 1 for partitions in where.values())
    assert apply(spark, lake, chunk)["republished"] == 0
    assert len(sent()) == 14


@pytest.mark.long
def test_what_the_log_has_let_go_is_replayed_from_bronze(spark: SparkSession, lake: Settings, produced: Range) -> None:
    (stale,) = plan_replay(lake, Offsets((produced,))).chunks
    kept = produced.first + 3
    admin = AdminClient({"bootstrap.servers": lake.bootstrap_servers})
    for future in admin.delete_records([TopicPartition(topics.RAW, 0, kept)]).values():
        future.result(60)
    made = plan_replay(lake, Offsets((produced,)))
    assert [chunk.source for chunk in made.chunks] == ["bronze", "log"]
    assert made.gone == (produced._replace(last=kept - 1),)
    talk_too = lake.model_copy(update={"gold_namespaces": (0, 1)})
    figures = [apply(spark, talk_too, chunk) for chunk in made.chunks]
    assert [found["rows"] for found in figures] == [3, 5]
    assert [found["republished"] for found in figures] == [0, 1]
    assert apply(spark, lake, stale)["rows"] == len(PAYLOADS)
