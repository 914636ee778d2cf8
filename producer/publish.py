"""Records -> the log, idempotent and in order; what is acknowledged moves the position."""

import time
from collections import deque
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from freshet.contract import topics
from freshet.contract.rejections import Stage
from freshet.errors import FreshetError, PermanentError
from freshet.log import LOGGER, MAX_RECORD_BYTES
from freshet.telemetry import logs, metrics
from producer.classify import Record, refused
from producer.resume import Entry, Ledger, Position

# What is kept of a record that a broker with a smaller limit than ours refused; Kafka's own default limit is 1 MB.
REFUSED_KEEP_BYTES = 256 * 1024

REFUSING_S = 10.0
"""Records on their way and none acknowledged for so long: the broker is away, or takes no writes."""

FLUSH_S = 10.0


def producer_config(bootstrap_servers: str) -> dict[str, str | int | bool]:
    """Settings of the Kafka client."""
    return {
        "bootstrap.servers": bootstrap_servers,
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "zstd",
        # each request wakes the broker and whoever reads from it
        "linger.ms": 20,
        "socket.nagle.disable": True,
        # A batch that a broker refuses as too large then holds one record only, so no innocent neighbour is rejected.
        "batch.size": 512 * 1024,
        "message.max.bytes": MAX_RECORD_BYTES,
        # Bounded memory: when it is full, reading stops.
        "queue.buffering.max.messages": 20_000,
        "queue.buffering.max.kbytes": 64 * 1024,
        # Without end: a broker that is away blocks, and drops nothing.
        "delivery.timeout.ms": 0,
    }


class Publisher:
    """Sends records and keeps the ledger of what is acknowledged.

    `send` is for the reading thread, all else for the one that polls.
    """

    def __init__(self, bootstrap_servers: str, stream: str, ledger: Ledger) -> None:
        config = {**producer_config(bootstrap_servers), "error_cb": self._on_error}
        self._producer = Producer(config, logger=LOGGER)
        self._stream = stream
        self._ledger = ledger
        self._written: str | None = None
        self._too_large: deque[tuple[Entry, Record]] = deque()
        self._failure: FreshetError | None = None
        self._taken_at = time.monotonic()
        self._refusing = False

    def send(self, sse_id: str, record: Record | None) -> None:
        """Send one frame's record, or only note its passing (None). Blocks while the queue is full."""
        entry = self._ledger.open(sse_id)
        if record is None:
            self._ledger.settle(entry)
        else:
            self._send(entry, record)

    def poll(self, seconds: float) -> None:
        """Take in what the broker acknowledged. Raises PermanentError when it will not take our records any more."""
        self._producer.poll(seconds)
        while self._too_large:
            entry, record = self._too_large.popleft()
            self._send(entry, refused(record, REFUSED_KEEP_BYTES))
        metrics.IN_FLIGHT.set(len(self._ledger))
        self._look_for_refusal()
        if self._failure is not None:
            raise self._failure

    def write_position(self) -> None:
        """Put the position into the log when it has moved."""
        sse_id = self._ledger.sse_id
        if sse_id is None or sse_id == self._written:
            return
        value = Position(sse_id, time.time_ns() // 1_000_000).to_json()
        self._send(None, Record(topics.RESUME, self._stream.encode(), value, ()))
        self._written = sse_id

    def close(self) -> None:
        """Wait for what is on its way, for a while, then write the position. What is left is read again next time."""
        self._producer.flush(FLUSH_S)
        self.write_position()
        left = self._producer.flush(FLUSH_S)
        logs.get().info("flushed", left=left, position=self._written)

    def _send(self, entry: Entry | None, record: Record) -> None:
        if record.reason is not None:
            metrics.REJECTED.labels(Stage.PRODUCER, record.reason).inc()
        on_delivery = partial(self._delivered, entry, record)
        while True:
            try:
                self._producer.produce(
                    record.topic, record.value, record.key, headers=list(record.headers), on_delivery=on_delivery
                )
                return
            except BufferError:
                # No room: stop reading until the broker has taken some.
                self._producer.poll(0.1)
            except KafkaException as error:
                self._failed(error.args[0], entry, record)
                return

    def _delivered(self, entry: Entry | None, record: Record, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed(error, entry, record)
            return
        metrics.PRODUCED.labels(record.topic).inc()
        self._taken_at = time.monotonic()
        if entry is not None:
            self._ledger.settle(entry)

    def _look_for_refusal(self) -> None:
        """Say once that the broker takes nothing, and once that it does again. The process is not ready in between."""
        if not len(self._ledger):
            self._taken_at = time.monotonic()
        was, self._refusing = self._refusing, time.monotonic() - self._taken_at > REFUSING_S
        if self._refusing:
            metrics.READY.set(0)
        if self._refusing and not was:
            logs.get().warning("the broker takes no records: they wait", in_flight=len(self._ledger))
        elif was and not self._refusing:
            metrics.READY.set(1)
            logs.get().info("the broker takes records again")

    def _failed(self, error: KafkaError, entry: Entry | None, record: Record) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE and entry is not None and record.topic == topics.RAW:
            # Not sent from here: this may be the client's callback, which must not wait for room.
            self._too_large.append((entry, record))
        else:
            self._failure = PermanentError(f"the broker does not take a record of {record.topic}: {error.str()}")

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._failure = PermanentError(f"the Kafka client cannot go on: {error.str()}")
        else:
            logs.get().warning("broker", error=error.str())
