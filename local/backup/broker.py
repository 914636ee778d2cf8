"""What is asked of the broker for a backup and a restore, with its failures as errors of Freshet."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaException

from freshet.contract import topics
from freshet.errors import TransientError
from freshet.log import ensure_topics
from freshet.offsets import Marks, Offsets, reason
from freshet.settings import Settings

WAIT_S: Final = 60.0
TOPICS: Final = tuple(topic.name for topic in topics.ALL)


@contextmanager
def asking(settings: Settings) -> Iterator[tuple[Offsets, float]]:
    """The broker and a deadline for what is asked of it. Raises TransientError when it does not answer by then."""
    try:
        yield Offsets(settings), time.monotonic() + WAIT_S
    except (KafkaException, TimeoutError) as error:
        raise TransientError(f"no answer from {settings.bootstrap_servers}: {reason(error, WAIT_S)}") from error


def marks(settings: Settings) -> dict[str, dict[int, Marks]]:
    """Where every topic begins and ends, by partition; nothing of one that is not there."""
    with asking(settings) as (offsets, deadline):
        return offsets.marks(TOPICS, deadline)


def make_topics(settings: Settings) -> None:
    """Have every topic, with somebody who leads each of its partitions."""
    ensure_topics(settings)
    with asking(settings) as (offsets, deadline):
        while True:
            try:
                offsets.marks(TOPICS, deadline)
                return
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def indexed(settings: Settings, gold: Mapping[int, Marks]) -> dict[int, int]:
    """What the indexers' group has committed of gold, by partition; not where it has committed nothing."""
    if not gold:
        return {}
    with asking(settings) as (offsets, deadline):
        committed = offsets.committed(settings.indexer_group, topics.GOLD, gold, deadline)
    return {number: offset for number, offset in committed.items() if offset >= 0}


def members(settings: Settings) -> int:
    """How many indexers there are."""
    with asking(settings) as (offsets, deadline):
        return offsets.members(settings.indexer_group, deadline)


def set_indexed(settings: Settings, places: Mapping[int, int]) -> None:
    """Have the indexers go on from these offsets of gold."""
    if places:
        with asking(settings) as (offsets, deadline):
            offsets.note(settings.indexer_group, {topics.GOLD: places}, deadline)
