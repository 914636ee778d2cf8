"""One record of `wiki.raw` by its place: what silver has no column for is in it."""

from time import monotonic
from typing import Final

from confluent_kafka import TopicPartition

from freshet import log
from freshet.contract import topics
from freshet.errors import TransientError
from freshet.offsets import is_end
from freshet.settings import Settings

TIMEOUT_S: Final = 5.0


class RawRecords:
    """Reads them one at a time. For one thread."""

    def __init__(self, settings: Settings) -> None:
        # One record is wanted, and not all that come after it.
        options = {**log.SOON, "fetch.message.max.bytes": 1, "queued.min.messages": 1}
        self._consumer = log.reader(settings, "freshet-context-raw", options)

    def read(self, partition: int, offset: int) -> bytes | None:
        """Its value; None where the log does not keep it any more. Raises TransientError when the broker is away."""
        self._consumer.assign([TopicPartition(topics.RAW, partition, offset)])
        try:
            return self._first(offset)
        finally:
            self._consumer.unassign()

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()

    def _first(self, offset: int) -> bytes | None:
        until = monotonic() + TIMEOUT_S
        while (left := until - monotonic()) > 0:
            message = self._consumer.poll(left)
            if message is None:
                break
            if message.error() is None:
                return message.value() if message.offset() == offset else None
            if is_end(message.error()):
                return None
        raise TransientError(f"no raw record within {TIMEOUT_S:g} s: the broker does not answer")
