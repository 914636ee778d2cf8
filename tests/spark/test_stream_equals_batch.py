"""The serve query at a real broker sends what a batch over the same records makes, byte for byte."""

from collections import Counter
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Place
from pyspark.sql import DataFrame, Row, SparkSession
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

import freshet.log
from freshet.contract import topics
from freshet.settings import Settings
from spark_jobs.serve import outgoing, serve_writer
from spark_jobs.source import read_stream
from tests.spark.builders import Record, event, payload

pytestmark = [pytest.mark.spark, pytest.mark.integration]

OUT = (topics.SILVER, topics.GOLD, topics.REJECTED)
ONCE = payload(event())
PAYLOADS = (
    ONCE,
    ONCE,
    payload(event(title="月", comment="/* 軌道 */ [[月|月の]]修正 🌙")),
    payload(event(bot=True)),
    payload(event(type="log", log_params=[1], length=..., revision=...)),
    payload(event(comment="Undid revision 123456 by [[Special:Contributions/A|A]]")),
    payload(event(meta__domain="canary")),
    payload(event(meta__dt="yesterday")),
    payload(event(wiki=...)),
    payload(event(server_script_path="/a" * 50_000, comment="/* " + " " * 50_000)),
    b"[]",
    b"\xff\xfe",
    b"",
)
Sent = Counter[tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]]
"""How often each (topic, key, value, headers) was sent."""


@pytest.fixture
def produced(settings: Settings) -> None:
    """PAYLOADS in the raw topic, with and without a key and headers."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for number, value in enumerate(PAYLOADS):
        producer.produce(topics.RAW, value, key=f"enwiki:{number}".encode(), headers=Record(value).headers)
    producer.produce(topics.RAW, payload(event()))
    producer.produce(topics.RAW, None, key=b"enwiki:gone")
    assert producer.flush(60) == 0


@pytest.fixture
def consumer(settings: Settings) -> Iterator[Consumer]:
    made = freshet.log.reader(settings)
    yield made
    made.close()


def ends(consumer: Consumer) -> dict[tuple[str, int], int]:
    """The next offset of every partition that serve writes to."""
    return {
        (topic, part): end
        for topic in OUT
        for part, (_, end) in freshet.log.watermarks(consumer, topic).items()
    }  # fmt: skip


def sent_since(consumer: Consumer, starts: dict[tuple[str, int], int]) -> Sent:
    """All records from these offsets to the ends there are now."""
    left = sum(ends(consumer).values()) - sum(starts.values())
    consumer.assign([Place(topic, part, offset) for (topic, part), offset in starts.items()])
    sent: Sent = Counter()
    while sent.total() < left:
        message = consumer.poll(60)
        assert message is not None
        if not message.error():
            headers = tuple(message.headers() or ())
            sent[message.topic(), message.key(), message.value(), headers] += 1
    return sent


def made_by_batch(spark: SparkSession, settings: Settings) -> Sent:
    reader = spark.read.format("kafka").option("kafka.bootstrap.servers", settings.bootstrap_servers)
    records: DataFrame = reader.option("subscribe", topics.RAW).option("includeHeaders", "true").load()
    rows = outgoing(records, settings.document_rule).collect()
    return Counter((row["topic"], plain(row["key"]), plain(row["value"]), pairs(row["headers"])) for row in rows)


def pairs(headers: list[Row] | None) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((header["key"], plain(header["value"])) for header in headers or ())


def plain(value: bytearray | None) -> bytes | None:
    return None if value is None else bytes(value)


@pytest.mark.usefixtures("produced")
@pytest.mark.parametrize("mode", ["realtime", "microbatch"])
def test_the_stream_sends_what_a_batch_makes(
    spark: SparkSession, settings: Settings, consumer: Consumer, mode: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake_root = f"file://{tmp_path_factory.mktemp('lake')}"
    mine = settings.model_copy(update={"serve_mode": mode, "lake_root": lake_root})
    expected = made_by_batch(spark, mine)
    assert {topic for topic, *_ in expected} == set(OUT)
    starts = ends(consumer)
    query = serve_writer(read_stream(spark, mine, [topics.RAW]), mine).start()

    @retry(retry=retry_if_result(lambda missing: missing > 0), wait=wait_fixed(0.1), stop=stop_after_delay(120))
    def until_all_are_sent() -> int:
        assert query.isActive, query.exception()
        return expected.total() - (sum(ends(consumer).values()) - sum(starts.values()))

    try:
        until_all_are_sent()
    finally:
        query.stop()
    assert sent_since(consumer, starts) == expected
