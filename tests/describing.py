"""The process that describes pages, in a thread of the test's own, and what is put into its topics."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from context.__main__ import work
from context.pace import Pace
from freshet import log
from freshet.contract import topics
from freshet.settings import Settings

HEARD = (topics.GOLD, topics.SILVER)
PER_MINUTE = 600


@contextmanager
def describing(settings: Settings, database: str, url: str, **given: Any) -> Iterator[None]:
    """It works until the block ends. Pauses after failures begin with a moment."""
    own = {"postgres_dsn": SecretStr(database), "context_requests_per_minute": PER_MINUTE, **given}
    stop = Event()
    pace = Pace(own["context_requests_per_minute"], first_wait_s=0.02)
    thread = Thread(target=work, args=(settings.model_copy(update=own), url, pace, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def at_the_end(settings: Settings) -> bool:
    """Have the group begin with what comes next. False while a member of before is still leaving."""
    reader = log.reader(settings)
    ends = [
        TopicPartition(topic, part, end) for topic in HEARD for part, (_, end) in log.watermarks(reader, topic).items()
    ]
    reader.close()
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    (future,) = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(topics.CONTEXT_GROUP, ends)]).values()
    return future.exception() is None


def behind(settings: Settings) -> int:
    """Records of both topics that the group has not committed."""
    reader = log.reader(settings, topics.CONTEXT_GROUP)
    ends = {(topic, part): end for topic in HEARD for part, (_, end) in log.watermarks(reader, topic).items()}
    parts = reader.committed([TopicPartition(*part) for part in ends], timeout=30)
    reader.close()
    return sum(ends[part.topic, part.partition] - part.offset for part in parts)


def put(settings: Settings, topic: str, rows: Sequence[dict[str, Any] | bytes]) -> list[tuple[int, int]]:
    """Write records, and tell their places."""
    places: list[tuple[int, int]] = []
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for number, row in enumerate(rows):
        value = row if isinstance(row, bytes) else json.dumps(row, default=lambda moment: moment.isoformat()).encode()
        producer.produce(
            topic, value, partition=number % settings.kafka_partitions,
            on_delivery=lambda _, message: places.append((message.partition(), message.offset())),
        )  # fmt: skip
    assert producer.flush(30) == 0
    return places
