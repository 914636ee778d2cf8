"""Where topics and their readers stand, asked of the broker within a deadline (of `time.monotonic`). It blocks.

Raises KafkaException or TimeoutError when the broker does not answer; `reason` puts both into words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from time import monotonic

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from freshet import log
from freshet.settings import Settings

Places = Mapping[int, int]
"""An offset by partition."""


@dataclass(frozen=True)
class Marks:
    """A partition: its first kept and its next offset, and the newest timestamp in it, ms; negative when empty."""

    first: int
    end: int
    newest_ms: int


class Offsets:
    """The broker, asked through one client, which is made when it is first needed and kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def ping(self, timeout_s: float) -> None:
        """Ask for anything at all."""
        self._admin.list_topics(timeout=timeout_s)

    def marks(self, names: Iterable[str], deadline: float) -> dict[str, dict[int, Marks]]:
        """The partitions of each topic; none of a topic that is not there."""
        marks: dict[str, dict[int, Marks]] = {name: {} for name in names}
        known = self._admin.list_topics(timeout=left(deadline)).topics
        parts = [TopicPartition(name, number) for name in marks if name in known for number in known[name].partitions]
        if not parts:
            return marks
        specs = (OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.max_timestamp())  # type: ignore[no-untyped-call]
        # All are on their way before the first is waited for.
        asked = [self._admin.list_offsets(dict.fromkeys(parts, spec), request_timeout=left(deadline)) for spec in specs]
        answers = [[answer[part].result(left(deadline)) for part in parts] for answer in asked]
        for part, first, end, newest in zip(parts, *answers, strict=True):
            marks[part.topic][part.partition] = Marks(first.offset, end.offset, newest.timestamp)
        return marks

    def committed(self, group: str, topic: str, partitions: Iterable[int], deadline: float) -> dict[int, int]:
        """What a group has committed of a topic; negative where it has committed nothing."""
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, number) for number in partitions])
        future = self._admin.list_consumer_group_offsets([asked], request_timeout=left(deadline))[group]
        return {part.partition: part.offset for part in future.result(left(deadline)).topic_partitions}

    def note(self, group: str, places: Mapping[str, Places], deadline: float) -> None:
        """Say on the broker how far a group without members has come: the next offset by topic and partition."""
        parts = [TopicPartition(topic, *place) for topic, offsets in places.items() for place in offsets.items()]
        asked = [ConsumerGroupTopicPartitions(group, parts)]
        self._admin.alter_consumer_group_offsets(asked, request_timeout=left(deadline))[group].result(left(deadline))

    def members(self, group: str, deadline: float) -> int:
        """How many readers a group has now."""
        future = self._admin.describe_consumer_groups([group], request_timeout=left(deadline))[group]
        return len(future.result(left(deadline)).members)

    def since(self, topic: str, marks: Mapping[int, Marks], ms: int, deadline: float) -> dict[int, int]:
        """The first record of each partition that is not older than this time; the partition's end where none is."""
        if not marks:
            return {}
        spec = OffsetSpec.for_timestamp(ms)
        asked = {TopicPartition(topic, number): spec for number in marks}
        answers = self._admin.list_offsets(asked, request_timeout=left(deadline))
        found = {part.partition: answer.result(left(deadline)).offset for part, answer in answers.items()}
        return {number: part.end if found[number] < 0 else found[number] for number, part in marks.items()}

    def oldest_ms(self, topic: str, places: Places, deadline: float) -> int | None:
        """The earliest timestamp, ms, of the records at these offsets; None when none is there any more."""
        return min(self.times_ms(topic, places, deadline).values(), default=None)

    def times_ms(self, topic: str, places: Places, deadline: float) -> dict[int, int]:
        """The timestamp, ms, of the record at each of these offsets, by partition, as far as they are there."""
        # One record of each partition is wanted, and not the backlog behind it.
        consumer = log.reader(self._settings, "freshet-lag", {**log.SOON, "fetch.message.max.bytes": 1})
        found: dict[int, int] = {}
        ended: set[int | None] = set()
        try:
            consumer.assign([TopicPartition(topic, number, offset) for number, offset in places.items()])
            while len(ended.union(found)) < len(places):
                message = consumer.poll(left(deadline))
                if message is not None and message.error() is None:
                    found.setdefault(log.place(message)[0], message.timestamp()[1])
                elif message is not None and is_end(message.error()):
                    ended.add(message.partition())
        finally:
            consumer.close()
        return found

    @cached_property
    def _admin(self) -> AdminClient:
        # What it would write to standard error by itself is no JSON; what goes wrong is raised as well.
        quiet = {"reconnect.backoff.ms": 500, "log_level": 0}
        return AdminClient({"bootstrap.servers": self._settings.bootstrap_servers, **quiet})


def unread(marks: Mapping[int, Marks], reached: Places) -> dict[int, range]:
    """Offsets that a reader has not reached, by partition. What the log no longer keeps is not among them."""
    return {number: range(max(part.first, reached.get(number, -1)), part.end) for number, part in marks.items()}


def age(then: datetime, now: datetime) -> float:
    """Seconds from then to now, none negative: clocks of two machines differ."""
    return max(0.0, round((now - then).total_seconds(), 3))


def left(deadline: float) -> float:
    """Seconds until a deadline. Raises TimeoutError when it has passed."""
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def is_end(error: KafkaError | None) -> bool:
    """Whether a reader came to the end of a partition."""
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def reason(error: KafkaException | TimeoutError, within_s: float) -> str:
    """Why the broker did not tell."""
    return str(error.args[0].str()) if isinstance(error, KafkaException) else f"nothing within {within_s:.0f} s"
