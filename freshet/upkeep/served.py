"""How far the serve query has come, read off the last records that it wrote: each says which raw record it was.

Its checkpoint says so only once in five minutes in real-time mode, and the time of what it writes says nothing while it
catches up with a backlog.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from confluent_kafka import Message, TopicPartition

from freshet import log
from freshet.contract import topics
from freshet.offsets import Marks, is_end, left
from freshet.settings import Settings

LAST: Final = 20
"""So many of the last records of each partition are read: those of one partition come from several raw partitions, and
near the end not in the order of their times."""


@dataclass
class Served:
    """The newest raw time among what was written, ms, and the next raw offset by partition as far as it was seen."""

    until_ms: int = -1
    offsets: dict[int, int] = field(default_factory=dict)

    def note(self, partition: int, offset: int) -> None:
        """This raw record was served."""
        self.offsets[partition] = max(self.offsets.get(partition, 0), offset + 1)


def served(settings: Settings, marks: Mapping[str, Mapping[int, Marks]], deadline: float) -> Served:
    """Read the ends of silver and rejected. Raises KafkaException or TimeoutError."""
    found = Served()
    for message in _last(settings, marks, deadline):
        if message.topic() == topics.SILVER:
            _note_silver(found, message)
        else:
            _note_rejected(found, message)
    return found


def _last(settings: Settings, marks: Mapping[str, Mapping[int, Marks]], deadline: float) -> Iterator[Message]:
    parts = [
        TopicPartition(topic, number, max(part.first, part.end - LAST))
        for topic in (topics.SILVER, topics.REJECTED)
        for number, part in marks[topic].items()
        if part.end > part.first
    ]
    consumer = log.reader(settings, "freshet-sla", log.SOON)
    ended: set[tuple[str | None, int | None]] = set()
    try:
        consumer.assign(parts)
        while len(ended) < len(parts):
            message = consumer.poll(left(deadline))
            if message is not None and message.error() is None:
                yield message
            elif message is not None and is_end(message.error()):
                ended.add((message.topic(), message.partition()))
    finally:
        consumer.close()


def _note_silver(found: Served, message: Message) -> None:
    try:
        row = json.loads(message.value() or b"")
        if row["raw_topic"] != topics.RAW:
            return
        moment = datetime.fromisoformat(row["raw_timestamp"])
        found.note(int(row["raw_partition"]), int(row["raw_offset"]))
    except (ValueError, KeyError, TypeError):
        return  # no record of ours
    found.until_ms = max(found.until_ms, round(moment.timestamp() * 1000))


def _note_rejected(found: Served, message: Message) -> None:
    headers = {name: value for name, value in dict(message.headers() or ()).items() if isinstance(value, bytes)}
    if headers.get(topics.RAW_TOPIC) != topics.RAW.encode():
        return  # the producer's own: it never was in the raw topic
    with suppress(ValueError, KeyError):
        found.note(int(headers[topics.RAW_PARTITION]), int(headers[topics.RAW_OFFSET]))
