"""What the API asks the broker about its topics. It blocks, for a bounded time: call it in a thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from time import monotonic
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from api.layers.progress import NO_TOPIC, Marks, age, topic, unread
from api.models.freshness import LagOut, LogOut, TopicOut
from freshet import log
from freshet.contract import topics
from freshet.settings import Settings

LOOK_S: Final = 2.0
PING_S: Final = 0.5
TOPICS: Final = {"raw": topics.RAW, "silver": topics.SILVER, "gold": topics.GOLD, "rejected": topics.REJECTED}
SPECS: Final = (OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.max_timestamp())  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class LogView:
    """The topics and the indexer's lag at one moment."""

    log: LogOut
    lag: LagOut


class Broker:
    """The broker, asked through one client, which is made when it is first needed and kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._group = settings.indexer_group

    def ping(self) -> str:
        """ok, or why not."""
        try:
            self._admin.list_topics(timeout=PING_S)
        except KafkaException as error:
            return f"does not answer: {_reason(error)}"
        return "ok"

    def look(self) -> LogView:
        """Every topic, and the indexer's lag, within about LOOK_S."""
        deadline = monotonic() + LOOK_S
        try:
            marks = self._marks(deadline)
        except (KafkaException, TimeoutError) as error:
            away = f"Kafka does not answer: {_reason(error)}"
            nothing = TopicOut(status=away)
            return LogView(LogOut(**dict.fromkeys(TOPICS, nothing)), LagOut(group=self._group, status=away))
        now = datetime.now(UTC)
        log_out = LogOut(**{layer: topic(marks[name].values(), now) for layer, name in TOPICS.items()})
        try:
            return LogView(log_out, self._lag(marks[topics.GOLD], deadline))
        except (KafkaException, TimeoutError) as error:
            return LogView(log_out, LagOut(group=self._group, status=f"Kafka does not tell: {_reason(error)}"))

    @cached_property
    def _admin(self) -> AdminClient:
        # What it would write to standard error by itself is no JSON; what goes wrong is raised as well.
        quiet = {"reconnect.backoff.ms": 500, "log_level": 0}
        return AdminClient({"bootstrap.servers": self._settings.bootstrap_servers, **quiet})

    def _marks(self, deadline: float) -> dict[str, dict[int, Marks]]:
        """The partitions of each topic; none of a topic that is not there."""
        known = self._admin.list_topics(timeout=_left(deadline)).topics
        there = [name for name in TOPICS.values() if name in known]
        parts = [TopicPartition(name, number) for name in there for number in known[name].partitions]
        marks: dict[str, dict[int, Marks]] = {name: {} for name in TOPICS.values()}
        if not parts:
            return marks
        # All are on their way before the first is waited for.
        asked = [
            self._admin.list_offsets(dict.fromkeys(parts, spec), request_timeout=_left(deadline)) for spec in SPECS
        ]
        answers = [[answer[part].result(_left(deadline)) for part in parts] for answer in asked]
        for part, first, end, newest in zip(parts, *answers, strict=True):
            marks[part.topic][part.partition] = Marks(first.offset, end.offset, newest.timestamp)
        return marks

    def _lag(self, marks: Mapping[int, Marks], deadline: float) -> LagOut:
        if not marks:
            return LagOut(group=self._group, status=NO_TOPIC)
        asked = ConsumerGroupTopicPartitions(self._group, [TopicPartition(topics.GOLD, number) for number in marks])
        future = self._admin.list_consumer_group_offsets([asked], request_timeout=_left(deadline))[self._group]
        committed = {part.partition: part.offset for part in future.result(_left(deadline)).topic_partitions}
        waiting = unread(marks, committed)
        places = {number: offsets.start for number, offsets in waiting.items() if offsets}
        return LagOut(
            group=self._group,
            status="ok",
            records=sum(map(len, waiting.values())),
            partitions={str(number): len(offsets) for number, offsets in waiting.items()},
            seconds=self._age_of_oldest(places, deadline) if places else 0.0,
        )

    def _age_of_oldest(self, places: Mapping[int, int], deadline: float) -> float | None:
        """Seconds since the earliest of the records at these offsets by partition; None when there is no time left."""
        # One record of each partition is wanted, and not the backlog behind it.
        consumer = log.reader(self._settings, "freshet-lag", {"fetch.message.max.bytes": 1})
        found: dict[int, int] = {}
        try:
            consumer.assign([TopicPartition(topics.GOLD, number, offset) for number, offset in places.items()])
            while len(found) < len(places):
                message = consumer.poll(_left(deadline))
                if message is not None and message.error() is None:
                    found.setdefault(log.place(message)[0], message.timestamp()[1])
        except TimeoutError:
            return None
        finally:
            consumer.close()
        return age(datetime.fromtimestamp(min(found.values()) / 1000, UTC), datetime.now(UTC))


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: KafkaException | TimeoutError) -> str:
    return str(error.args[0].str()) if isinstance(error, KafkaException) else f"nothing within {LOOK_S:.0f} s"
