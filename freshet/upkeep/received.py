"""When the source last spoke. A backfill writes raw records too, and must not hide that the producer is silent."""

from datetime import datetime
from typing import NamedTuple

from confluent_kafka import TopicPartition

from freshet import log
from freshet.contract import topics
from freshet.offsets import is_end, left
from freshet.settings import Settings
from freshet.upkeep.interval import at


def identity(settings: Settings) -> str:
    """Under which key the position of the stream is kept."""
    return settings.stream_id or settings.stream_url


def heard_at(settings: Settings, raw_at: datetime | None, deadline: float) -> datetime | None:
    """When the source last spoke, of which the newest raw record tells where there never was a backfill.

    Where there was one, it is when the producer last noted its position, which it does every second while it receives.
    Raises KafkaException or TimeoutError.
    """
    noted = positions(settings, deadline)
    return noted.live_at if noted.backfilled_at and noted.live_at else raw_at


class Noted(NamedTuple):
    """When the producer of the stream, and when any backfill, last noted a position."""

    live_at: datetime | None
    backfilled_at: datetime | None


def positions(settings: Settings, deadline: float) -> Noted:
    """Read off the log, until a deadline of `time.monotonic`. Raises KafkaException or TimeoutError."""
    noted = Noted(None, None)
    live, past = identity(settings).encode(), topics.BACKFILL_KEY.encode()
    consumer = log.reader(settings, "freshet-received", log.SOON)
    try:
        marks = log.watermarks(consumer, topics.RESUME)
        waiting = {number for number, (first, end) in marks.items() if first < end}
        consumer.assign([TopicPartition(topics.RESUME, number, marks[number][0]) for number in waiting])
        while waiting:
            message = consumer.poll(left(deadline))
            if message is not None and is_end(message.error()):
                waiting.discard(message.partition() or 0)
            elif message is not None and not message.error():
                key, time = bytes(message.key() or b""), at(message.timestamp()[1])
                if key == live:
                    noted = noted._replace(live_at=time)
                elif key.startswith(past):
                    noted = noted._replace(backfilled_at=time)
    finally:
        consumer.close()
    return noted
