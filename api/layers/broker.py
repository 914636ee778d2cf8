"""What the API asks the broker about its topics. It blocks, for a bounded time: call it in a thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from confluent_kafka import KafkaException

from api.layers.progress import NO_TOPIC, topic
from api.models.freshness import LagOut, LogOut, TopicOut
from freshet.contract import topics
from freshet.offsets import Marks, Offsets, Places, age, reason, unread
from freshet.settings import Settings

LOOK_S: Final = 2.0
PING_S: Final = 0.5
TOPICS: Final = {"raw": topics.RAW, "silver": topics.SILVER, "gold": topics.GOLD, "rejected": topics.REJECTED}


@dataclass(frozen=True)
class LogView:
    """The topics and the indexer's lag at one moment."""

    log: LogOut
    lag: LagOut


class Broker:
    """The broker, asked through one client."""

    def __init__(self, settings: Settings) -> None:
        self._offsets = Offsets(settings)
        self._group = settings.indexer_group

    def ping(self) -> str:
        """ok, or why not."""
        try:
            self._offsets.ping(PING_S)
        except KafkaException as error:
            return f"does not answer: {reason(error, PING_S)}"
        return "ok"

    def look(self) -> LogView:
        """Every topic, and the indexer's lag, within about LOOK_S."""
        deadline = monotonic() + LOOK_S
        try:
            marks = self._offsets.marks(TOPICS.values(), deadline)
        except (KafkaException, TimeoutError) as error:
            away = f"Kafka does not answer: {reason(error, LOOK_S)}"
            nothing = TopicOut(status=away)
            return LogView(LogOut(**dict.fromkeys(TOPICS, nothing)), LagOut(group=self._group, status=away))
        now = datetime.now(UTC)
        log_out = LogOut(**{layer: topic(marks[name].values(), now) for layer, name in TOPICS.items()})
        try:
            return LogView(log_out, self._lag(marks[topics.GOLD], deadline))
        except (KafkaException, TimeoutError) as error:
            return LogView(log_out, LagOut(group=self._group, status=f"Kafka does not tell: {reason(error, LOOK_S)}"))

    def _lag(self, marks: Mapping[int, Marks], deadline: float) -> LagOut:
        if not marks:
            return LagOut(group=self._group, status=NO_TOPIC)
        waiting = unread(marks, self._offsets.committed(self._group, topics.GOLD, marks, deadline))
        places = {number: offsets.start for number, offsets in waiting.items() if offsets}
        return LagOut(
            group=self._group,
            status="ok",
            records=sum(map(len, waiting.values())),
            partitions={str(number): len(offsets) for number, offsets in waiting.items()},
            seconds=self._age_of_oldest(places, deadline) if places else 0.0,
        )

    def _age_of_oldest(self, places: Places, deadline: float) -> float | None:
        """Seconds since the earliest of the records at these offsets by partition; None when there is no time left."""
        try:
            oldest_ms = self._offsets.oldest_ms(topics.GOLD, places, deadline)
        except TimeoutError:
            return None
        return None if oldest_ms is None else age(datetime.fromtimestamp(oldest_ms / 1000, UTC), datetime.now(UTC))
