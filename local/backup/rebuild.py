"""A topic of a backup in a broker that has none of it: every saved record at the offset that it had.

Kafka has no way to say at which offset a partition begins. So it is filled up to there with records of nothing, which
are then deleted: 1.5 million a second on two cores, at four bytes each until they are.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from freshet.errors import PermanentError, TransientError
from freshet.log import LOGGER, MAX_RECORD_BYTES, TIMEOUT_S
from freshet.settings import Settings
from local.backup.tail import Record

FILLERS: Final = 100_000
WAITING: Final = 500_000
FLUSH_S: Final = 600.0

Say = Callable[[str], None]


def advance(settings: Settings, topic: str, begin: Mapping[int, int], say: Say) -> None:
    """Have the partitions of an empty topic begin at these offsets, and hold nothing.

    Raises TransientError when the broker does not take it.
    """
    wanted = {number: offset for number, offset in begin.items() if offset}
    if not wanted:
        return
    producer = _producer(settings, {"batch.size": 1_000_000, "batch.num.messages": FILLERS, "compression.type": "lz4"})
    filler = [{"value": b""}] * FILLERS
    for number, offset in sorted(wanted.items()):
        say(f"{topic}: advancing partition {number} to offset {offset:,}")
        left = offset
        while left:
            left -= producer.produce_batch(topic, filler[:left], partition=number)
            while len(producer) > WAITING:
                producer.poll(0.02)
    _flush(producer, topic)
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers}, logger=LOGGER)
    try:
        asked = admin.delete_records([TopicPartition(topic, *place) for place in wanted.items()])
        for future in asked.values():
            future.result(TIMEOUT_S)
    except (KafkaException, TimeoutError) as error:
        raise TransientError(f"{topic}: what fills it up cannot be deleted: {error}") from error


def write(settings: Settings, topic: str, rows: Iterable[Record], *, exact: bool = True) -> int:
    """Write records to the partitions that they were in. Returns how many.

    Raises PermanentError when one is refused or, if they must be `exact`, comes to another offset than it had.
    """
    wrong: list[str] = []

    def delivered(row: Record) -> Callable[[KafkaError | None, Message], None]:
        def check(error: KafkaError | None, message: Message) -> None:
            if error is not None or (exact and message.offset() != row.offset):
                came = error.str() if error is not None else f"it came to {message.offset()}"
                wrong.append(f"the record of {topic} at {row.partition}:{row.offset}: {came}")

        return check

    producer = _producer(settings, {"compression.type": "zstd"})
    count = 0
    for row in rows:
        while len(producer) > WAITING:
            producer.poll(0.02)
        # 0 would mean now; no record is of 1970
        producer.produce(
            topic,
            row.value,
            row.key,
            partition=row.partition,
            timestamp=row.timestamp_ms,
            headers=list(row.headers),
            on_delivery=delivered(row),
        )
        producer.poll(0)
        count += 1
        if wrong:
            break
    _flush(producer, topic)
    if wrong:
        raise PermanentError(f"somebody else writes to the log, or the broker refuses it: {wrong[0]}")
    return count


def _flush(producer: Producer, topic: str) -> None:
    deadline = time.monotonic() + FLUSH_S
    while producer.flush(1.0):
        if time.monotonic() > deadline:
            raise TransientError(f"the broker has not taken all of {topic} within {FLUSH_S:.0f} s")


def _producer(settings: Settings, options: Mapping[str, str | int]) -> Producer:
    return Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 20,
            "message.max.bytes": MAX_RECORD_BYTES,
            "queue.buffering.max.messages": 2 * WAITING,
            "queue.buffering.max.kbytes": 1 << 20,
            **options,
        },
        logger=LOGGER,
    )
