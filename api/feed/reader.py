"""Reads `wiki.silver` in a thread of its own and hands every record to the hub on the event loop."""

import asyncio
import json
from collections.abc import Sequence
from threading import Event, Thread
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from api.feed.hub import RECENT, Hub
from freshet import log
from freshet.addresses import without_addresses
from freshet.contract import topics
from freshet.settings import Settings
from freshet.telemetry import logs

MOST: Final = 500
WAIT_S: Final = 0.2
RETRY_S: Final = 2.0


class FeedReader:
    """From the newest records on, from the first listener until the API ends; a broker that is away is found again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hub = Hub()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._warm = asyncio.Event()

    async def hub(self) -> Hub:
        """The hub, once it knows the newest events. Waits for ever while the broker is away."""
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = Thread(target=self._run, name="feed", daemon=True)
            self._thread.start()
        await self._warm.wait()
        return self._hub

    def stop(self) -> None:
        """End the reading; the thread ends by itself within a moment."""
        self._stopping.set()

    def _run(self) -> None:
        consumer = log.reader(self._settings, "freshet-feed")
        try:
            while not self._stopping.is_set() and not self._assign(consumer):
                self._stopping.wait(RETRY_S)
            while not self._stopping.is_set():
                messages = consumer.consume(MOST, WAIT_S)
                if records := [message for message in messages if message.error() is None]:
                    self._loop.call_soon_threadsafe(self._publish, records)
                self._ends -= {message.partition() for message in messages if _is_end(message)}
                if not self._ends:
                    self._loop.call_soon_threadsafe(self._warm.set)
        except RuntimeError:
            # The loop is closed before the reading has ended: the process is leaving.
            self._stopping.set()
        finally:
            consumer.close()

    def _assign(self, consumer: Consumer) -> bool:
        """Take all partitions from shortly before their ends, so that the newest events are known from the start."""
        try:
            marks = log.watermarks(consumer, topics.SILVER)
        except KafkaException as error:
            logs.get().warning("the feed waits for the broker", error=str(error))
            return False
        back = RECENT // max(1, len(marks))
        begin = {partition: max(first, end - back) for partition, (first, end) in marks.items()}
        consumer.assign([TopicPartition(topics.SILVER, partition, offset) for partition, offset in begin.items()])
        self._loop.call_soon_threadsafe(self._hub.begin, begin)
        self._ends = set(begin)
        return bool(marks)

    def _publish(self, records: Sequence[Message]) -> None:
        for message in records:
            partition, offset = log.place(message)
            try:
                self._hub.publish(partition, offset, without_addresses(json.loads(message.value() or b"")))
            except (ValueError, TypeError, KeyError) as error:
                logs.get().warning("not a row of silver", partition=partition, offset=offset, error=str(error))


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF
