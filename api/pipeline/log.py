"""What the pipeline wants to know of the log, in one look. It blocks, for about LOOK_S: call it in a thread."""

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from confluent_kafka import KafkaException

from freshet.contract import topics
from freshet.offsets import Offsets, reason
from freshet.settings import Settings
from freshet.upkeep.log_state import TOPICS, LogState
from freshet.upkeep.observations import Owed

LOOK_S: Final = 3.0


@dataclass(frozen=True)
class LogNow:
    """The log at one moment. `ends` has the topics that there are, with how many records each was ever given;
    `heard_at` is when the source last spoke."""

    at: datetime
    ends: dict[str, int]
    heard_at: datetime | None
    silver_at: datetime | None
    gold_at: datetime | None
    unserved: Owed
    unindexed: Owed
    unlaked: int | None
    """Raw records that the lake query has not noted as done; None as long as it noted none."""


def look(settings: Settings, offsets: Offsets) -> LogNow | str:
    """The log, or why it cannot be asked."""
    try:
        log = LogState(settings, offsets, monotonic() + LOOK_S)
        ends = {topic: end for topic in TOPICS if (end := log.end(topic)) is not None}
        return LogNow(
            at=datetime.now(UTC),
            ends=ends,
            heard_at=log.heard_at(),
            silver_at=log.newest(topics.SILVER),
            gold_at=log.newest(topics.GOLD),
            unserved=log.unserved(),
            unindexed=log.unindexed(),
            unlaked=log.uncommitted(topics.LAKE_GROUP, topics.RAW),
        )
    except (KafkaException, TimeoutError) as error:
        return f"Kafka does not answer: {reason(error, LOOK_S)}"
