"""How far a topic and its reader have come, from offsets. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from api.models.freshness import TopicOut

NO_TOPIC = "there is no such topic"


@dataclass(frozen=True)
class Marks:
    """A partition: its first kept and its next offset, and the newest timestamp in it, ms; negative when empty."""

    first: int
    end: int
    newest_ms: int


def topic(marks: Iterable[Marks], now: datetime) -> TopicOut:
    """A topic from its partitions."""
    partitions = list(marks)
    if not partitions:
        return TopicOut(status=NO_TOPIC)
    records = sum(part.end - part.first for part in partitions)
    newest_ms = max(part.newest_ms for part in partitions)
    if newest_ms < 0:
        return TopicOut(status="ok", records=records)
    newest_at = datetime.fromtimestamp(newest_ms / 1000, UTC)
    return TopicOut(status="ok", records=records, newest_at=newest_at, age_seconds=age(newest_at, now))


def unread(marks: Mapping[int, Marks], committed: Mapping[int, int]) -> dict[int, range]:
    """Offsets that a group has not committed, by partition. What the log no longer keeps is not among them."""
    return {number: range(max(part.first, committed.get(number, -1)), part.end) for number, part in marks.items()}


def age(then: datetime, now: datetime) -> float:
    """Seconds from then to now, none negative: clocks of two machines differ."""
    return max(0.0, round((now - then).total_seconds(), 3))
