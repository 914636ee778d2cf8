"""Reading topics as a member of a consumer group: what has arrived now, never a wait for more."""

from collections.abc import Sequence
from threading import Event
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from freshet.log import LOGGER, MAX_RECORD_BYTES
from freshet.settings import Settings
from freshet.telemetry import logs

# How soon a call that waits notices that it should stop, s.
NOTICE_S: Final = 0.2


class Member:
    """The partitions of some topics that are this member's. For one thread."""

    def __init__(self, settings: Settings, group: str, topics: Sequence[str]) -> None:
        self._consumer = Consumer(_options(settings, group), logger=LOGGER)
        self._held: list[Message] = []
        self.joined = False
        self._consumer.subscribe(list(topics), on_assign=self._assigned, on_revoke=self._left, on_lost=self._left)

    def take(self, most: int) -> list[Message]:
        """Up to `most` records that are here already; waits briefly for the first only. Empty when none came."""
        taken, self._held = self._held, []
        if not taken:
            first = self._consumer.poll(NOTICE_S)
            taken = [first] if first is not None else []
        if taken and len(taken) < most:
            taken += self._consumer.consume(most - len(taken), timeout=0)
        return [message for message in taken if _is_record(message)]

    def owned(self, messages: Sequence[Message]) -> list[Message]:
        """Those whose partition is still this member's."""
        mine = {(part.topic, part.partition) for part in self._consumer.assignment()}
        return [message for message in messages if _part(message) in mine]

    def commit(self, messages: Sequence[Message]) -> None:
        """Note that these, in order, are done. Does not wait: leaving a partition or the group waits for it instead."""
        done = {_part(message): (message.offset() or 0) + 1 for message in self.owned(messages)}
        if done:
            offsets = [TopicPartition(*part, offset) for part, offset in done.items()]
            self._consumer.commit(offsets=offsets, asynchronous=True)

    def stay(self, seconds: float, stop: Event) -> None:
        """Wait, but go on being a member of the group. Ends early when `stop` is set."""
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0 and not stop.is_set():
            # Also what was assigned a moment ago is paused; what came before that is kept for the next take.
            self._consumer.pause(self._consumer.assignment())
            message = self._consumer.poll(min(left, NOTICE_S))
            self._held += [message] if message is not None else []
        self._consumer.resume(self._consumer.assignment())

    def close(self) -> None:
        """Leave the group; what was noted as done is committed before."""
        self._consumer.close()

    def _assigned(self, _: Consumer, parts: Sequence[TopicPartition]) -> None:
        self.joined = True
        logs.get().info("partitions assigned", partitions=_names(parts))

    def _left(self, _: Consumer, parts: Sequence[TopicPartition]) -> None:
        logs.get().info("partitions given up", partitions=_names(parts))


def _options(settings: Settings, group: str) -> dict[str, object]:
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        # A member that joins takes some partitions; the others are read on meanwhile.
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 10_000,
        # A record is sent on as it comes; the wait bounds only how long an idle request stays open.
        "fetch.min.bytes": 1,
        "fetch.wait.max.ms": 100,
        # Some seconds of backlog in memory, and no second's pause (the default) when that much is there.
        "queued.min.messages": 2_000,
        "fetch.queue.backoff.ms": 10,
        "fetch.message.max.bytes": MAX_RECORD_BYTES,
        "on_commit": _committed,
    }


def _committed(error: KafkaError | None, parts: Sequence[TopicPartition]) -> None:
    # Not lost: what was done is in the store, and what is delivered again changes nothing there.
    if error is not None:
        logs.get().warning("commit failed", error=error.str(), partitions=_names(parts))


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.fatal():
        raise KafkaException(error)
    logs.get().warning("the broker reports an error", error=error.str())
    return False


def _part(message: Message) -> tuple[str, int]:
    topic, partition = message.topic(), message.partition()
    return topic or "", -1 if partition is None else partition


def _names(parts: Sequence[TopicPartition]) -> list[str]:
    return [f"{part.topic}:{part.partition}" for part in parts]
