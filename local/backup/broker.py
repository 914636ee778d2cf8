"""What is asked of the broker for a backup and a restore, with its failures as errors of Freshet."""

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from confluent_kafka import KafkaException
from tenacity import RetryError, Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from freshet.contract import topics
from freshet.errors import TransientError
from freshet.log import ensure_topics
from freshet.offsets import Marks, Offsets, reason
from freshet.settings import Settings

WAIT_S: Final = 30.0
AGAIN_S: Final = 0.2
TOPICS: Final = tuple(topic.name for topic in topics.ALL)

Answer = TypeVar("Answer")


def marks(settings: Settings) -> dict[str, dict[int, Marks]]:
    """Where every topic begins and ends, by partition; nothing of one that is not there."""
    return _asked(settings, lambda offsets, deadline: offsets.marks(TOPICS, deadline))


def make_topics(settings: Settings) -> None:
    """Have every topic, with somebody who leads each of its partitions. Raises TransientError when one has none."""
    ensure_topics(settings)
    again = Retrying(
        retry=retry_if_result(lambda found: not all(found.values())),
        wait=wait_fixed(AGAIN_S),
        stop=stop_after_delay(WAIT_S),
    )
    try:
        again(marks, settings)
    except RetryError as error:
        raise TransientError(f"{settings.bootstrap_servers} has not all topics after {WAIT_S:g} s") from error


def indexed(settings: Settings, gold: Mapping[int, Marks]) -> dict[int, int]:
    """What the indexers' group has committed of gold, by partition; not where it has committed nothing."""
    group, topic = settings.indexer_group, topics.GOLD
    found = _asked(settings, lambda offsets, deadline: offsets.committed(group, topic, gold, deadline)) if gold else {}
    return {number: offset for number, offset in found.items() if offset >= 0}


def members(settings: Settings) -> int:
    """How many indexers there are."""
    return _asked(settings, lambda offsets, deadline: offsets.members(settings.indexer_group, deadline))


def set_indexed(settings: Settings, places: Mapping[int, int]) -> None:
    """Have the indexers go on from these offsets of gold."""
    where = {topics.GOLD: places}
    if places:
        _asked(settings, lambda offsets, deadline: offsets.note(settings.indexer_group, where, deadline))


def _asked(settings: Settings, question: Callable[[Offsets, float], Answer]) -> Answer:
    """An answer, asked for again while a broker that has just started has nobody to give it: no leader, no coordinator.

    Raises TransientError when there is none in time.
    """
    offsets, deadline = Offsets(settings), time.monotonic() + WAIT_S
    again = Retrying(
        retry=retry_if_exception_type(KafkaException),
        wait=wait_fixed(AGAIN_S),
        stop=stop_after_delay(WAIT_S),
        reraise=True,
    )
    try:
        return again(question, offsets, deadline)
    except (KafkaException, TimeoutError) as error:
        raise TransientError(f"no answer from {settings.bootstrap_servers}: {reason(error, WAIT_S)}") from error
