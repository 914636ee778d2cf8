"""The indexer in a thread or in a process of its own, and what the tests of it ask the broker and the store."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import psycopg
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from freshet import log
from freshet.contract import topics
from freshet.embedding import Embedder
from freshet.environment import environment_of
from freshet.settings import CHECKOUT, Settings
from freshet.store.migrate import migrate
from indexer.gold import GoldTopic
from indexer.loop import run
from indexer.store import Store
from tests.indexer_builders import models_of

PATIENCE_S = 60


def begin(settings: Settings, database: str) -> None:
    """The group starts at the topic's end, so that no test sees another's records; the database gets its tables."""
    migrate(database)
    reader = log.reader(settings)
    ends = [TopicPartition(topics.GOLD, part, end) for part, (_, end) in log.watermarks(reader, topics.GOLD).items()]
    reader.close()
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    wanted = [ConsumerGroupTopicPartitions(topics.INDEXER_GROUP, ends)]
    # An indexer of the test before may still be leaving the group.
    eventually(lambda: not _error_of(admin.alter_consumer_group_offsets(wanted)))


@contextmanager
def indexing(settings: Settings, database: str, *embedders: Embedder, most: int = 16) -> Iterator[GoldTopic]:
    """The indexer with these models, the first of which a new store begins with."""
    stop = Event()
    store = Store(database)
    models = models_of(store, *embedders)
    source = GoldTopic(settings)
    thread = Thread(target=run, args=(source, store, models, most, stop))
    thread.start()
    try:
        yield source
    finally:
        stop.set()
        thread.join()
        source.close()
        store.close()


@contextmanager
def process(settings: Settings, database: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m indexer` as it is supervised."""
    environment = environment_of(settings) | {"FRESHET_POSTGRES_DSN": database}
    child = subprocess.Popen([sys.executable, "-m", "indexer"], cwd=CHECKOUT, env={**os.environ, **environment})
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def put(settings: Settings, *documents: dict[str, Any] | bytes) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for number, document in enumerate(documents):
        producer.produce(topics.GOLD, as_value(document), partition=number % settings.kafka_partitions)
    assert producer.flush(30) == 0


def as_value(document: dict[str, Any] | bytes) -> bytes:
    if isinstance(document, bytes):
        return document
    return json.dumps(document, default=lambda moment: moment.isoformat()).encode()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def rows(database: str, query: str) -> list[Any]:
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode()).fetchall()


def count(database: str, table: str) -> int:
    return int(rows(database, f"SELECT count(*) FROM {table}")[0][0])


def behind(settings: Settings) -> int:
    """Records of the topic that the group has not committed."""
    reader = log.reader(settings, topics.INDEXER_GROUP)
    marks = log.watermarks(reader, topics.GOLD)
    parts = reader.committed([TopicPartition(topics.GOLD, part) for part in marks], timeout=30)
    reader.close()
    return sum(marks[part.partition][1] - part.offset for part in parts)


def _error_of(futures: dict[str, Any]) -> bool:
    (future,) = futures.values()
    return future.exception() is not None
