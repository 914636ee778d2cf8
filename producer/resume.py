"""Up to where the stream is safe in the log, and how a connection goes on from there."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from freshet import log
from freshet.contract import topics
from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.upkeep.received import identity

BROKER_WAIT_S = 120.0


@dataclass(frozen=True)
class Position:
    """Every frame up to `sse_id` is acknowledged by the broker. `at` is when that was written, ms since the epoch.

    Of an archive `sse_id` is the number of its last line that is done.
    """

    sse_id: str
    at: int

    def to_json(self) -> bytes:
        """The value of a record of `wiki.resume`."""
        return json.dumps({"sse_id": self.sse_id, "at": self.at}).encode()

    @classmethod
    def from_json(cls, value: bytes) -> "Position":
        """The position that `to_json` wrote."""
        row = json.loads(value)
        return cls(row["sse_id"], row["at"])


def rewound(sse_id: str, rewind_ms: int) -> str:
    """The Last-Event-ID to go on from: every timestamp goes back by `rewind_ms`, an offset stays.

    Neighbours that share a millisecond may otherwise be skipped; meta.id removes what is repeated. An id of another
    make is returned as it is.
    """
    return _with_times(sse_id, lambda timestamp: max(0, timestamp - rewind_ms))


def advanced(sse_id: str, until_ms: int) -> str:
    """The same id with no timestamp before this one: what says that all before it is done."""
    return _with_times(sse_id, lambda timestamp: max(timestamp, until_ms))


def timestamps(sse_id: str) -> dict[str, int]:
    """The timestamps that an id names, ms since the epoch, by topic; none of an id of another make."""
    return {
        str(entry.get("topic")): timestamp
        for entry in _entries(sse_id) or ()
        if isinstance(timestamp := entry.get("timestamp"), int)
    }


def gap_s(asked: str, first: str) -> float:
    """Seconds between the id that a connection went on behind and the first one that it brought; 0 when it goes on."""
    before, after = timestamps(asked), timestamps(first)
    return max((after[topic] - before[topic] for topic in before.keys() & after.keys()), default=0) / 1000


def _with_times(sse_id: str, change: Callable[[int], int]) -> str:
    entries = _entries(sse_id)
    if entries is None:
        return sse_id
    return json.dumps(
        [
            {**entry, "timestamp": change(timestamp)} if isinstance(timestamp := entry.get("timestamp"), int) else entry
            for entry in entries
        ],
        separators=(",", ":"),
    )


def _entries(sse_id: str) -> list[dict[str, object]] | None:
    try:
        entries = json.loads(sse_id)
    except ValueError:
        return None
    return entries if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries) else None


@dataclass(slots=True)
class Entry:
    """One frame on its way to the broker."""

    sse_id: str
    settled: bool = False


class Ledger:
    """The frames in flight in the order they came, so that the position never passes one that is not acknowledged.

    The reading thread opens entries, the thread that polls the broker settles them.
    """

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._lock = Lock()
        self.sse_id: str | None = None

    def open(self, sse_id: str) -> Entry:
        """Take in the next frame."""
        entry = Entry(sse_id)
        with self._lock:
            self._entries.append(entry)
        return entry

    def settle(self, entry: Entry) -> None:
        """This frame is safe, or needs no keeping. `sse_id` moves over all that are settled from the oldest on."""
        with self._lock:
            entry.settled = True
            while self._entries and self._entries[0].settled:
                self.sse_id = self._entries.popleft().sse_id

    def __len__(self) -> int:
        return len(self._entries)


def await_position(settings: Settings, key: str) -> Position | None:
    """The position last written under a key, once there is a broker. Raises TransientError when none comes."""
    patiently = Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_exponential(multiplier=0.2, max=5),
        stop=stop_after_delay(BROKER_WAIT_S),
        reraise=True,
    )
    return patiently(read_position, settings, key)


def read_position(settings: Settings, kept_under: str | None = None) -> Position | None:
    """The position last written for this stream, or under another key; None when there is none.

    Raises TransientError when the broker does not answer or the topic is not there yet.
    """
    consumer = log.reader(settings, "freshet-producer")
    key = (kept_under or identity(settings)).encode()
    try:
        marks = log.watermarks(consumer, topics.RESUME)
        if 0 not in marks:
            raise TransientError(f"topic {topics.RESUME} is not there yet")
        consumer.assign([TopicPartition(topics.RESUME, 0, marks[0][0])])
        newest = None
        while True:
            message = consumer.poll(log.TIMEOUT_S)
            if message is None:
                raise TransientError(f"no answer from {settings.bootstrap_servers} while reading {topics.RESUME}")
            if error := message.error():
                if error.code() == KafkaError._PARTITION_EOF:
                    return newest
                raise TransientError(f"cannot read {topics.RESUME}: {error.str()}")
            if message.key() == key and (value := message.value()) is not None:
                newest = Position.from_json(value)
    except KafkaException as error:
        raise TransientError(f"no broker at {settings.bootstrap_servers}: {error.args[0].str()}") from error
    finally:
        consumer.close()
