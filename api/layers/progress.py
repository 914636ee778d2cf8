"""How far a topic has come, from offsets. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from api.models.freshness import TopicOut
from freshet.offsets import Marks, age

NO_TOPIC = "there is no such topic"


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
