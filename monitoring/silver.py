"""How old events are when they reach silver: the topic is followed from its end, as it comes."""

import json
from datetime import datetime
from threading import Event, Thread
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from tenacity import Retrying, retry_if_exception_type, stop_when_event_set, wait_exponential

from freshet import log
from freshet.contract import topics
from freshet.settings import Settings
from freshet.telemetry import metrics

STAGE = "received_to_silver"
POLL_S = 0.5
MOST = 500
FROM_END: Final[dict[str, str | int]] = {"auto.offset.reset": "latest", "fetch.wait.max.ms": 500}


def follow(settings: Settings, stopping: Event) -> Thread:
    """Observe the freshness of silver until it is time to stop, whatever the broker does."""
    patiently = Retrying(
        retry=retry_if_exception_type(KafkaException), wait=wait_exponential(max=10), stop=stop_when_event_set(stopping)
    )
    thread = Thread(target=lambda: patiently(_follow, settings, stopping), name="silver", daemon=True)
    thread.start()
    return thread


def _follow(settings: Settings, stopping: Event) -> None:
    consumer = log.reader(settings, "freshet-exporter", FROM_END)
    try:
        _assign_ends(consumer)
        while not stopping.is_set():
            for message in consumer.consume(MOST, POLL_S):
                if message.error() is None and (seconds := age_s(message)) is not None:
                    metrics.STAGE.labels(STAGE).observe(seconds)
    finally:
        consumer.close()


def _assign_ends(consumer: Consumer) -> None:
    ends = {number: end for number, (_, end) in log.watermarks(consumer, topics.SILVER).items()}
    consumer.assign([TopicPartition(topics.SILVER, number, end) for number, end in ends.items()])


def age_s(message: Message) -> float | None:
    """From received to logged, s; None of no event, and of a backfill's, which was late when it was received."""
    try:
        row = json.loads(message.value() or b"")
        if row["source"] == topics.BACKFILL:
            return None
        return max(0.0, message.timestamp()[1] / 1000 - datetime.fromisoformat(row["received_at"]).timestamp())
    except (ValueError, KeyError, TypeError):
        return None
