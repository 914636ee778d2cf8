"""Archives of events, one JSON object a line, plain or gzipped: read as a stream, never whole."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.upkeep.history import History
from freshet.upkeep.interval import milliseconds, written
from producer.classify import MAX_VALUE_BYTES
from producer.frames import Frame
from producer.pump import Item


class Archive:
    """A file, and of what time of it. It is read once when it is opened, so that a broken one sends nothing.

    `lines` is how many it has; the position in it is the number of a line. Raises PermanentError.
    """

    def __init__(self, path: Path, asked: History) -> None:
        self._path = path
        self._since_ms = milliseconds(asked.since) if asked.since else None
        self._until_ms = milliseconds(asked.until) if asked.until else None
        self._stopped = self._at_end = False
        digest = hashlib.sha256()
        self.lines = 0
        for line in self._lines():
            digest.update(line)
            self.lines += 1
        times = "/".join(written(time) if time else "" for time in (asked.since, asked.until))
        self.key = f"{topics.BACKFILL_KEY}archive:{digest.hexdigest()[:16]}:{times}"
        self.name = str(path)
        self.nothing_more = False

    def is_done(self, position: str) -> bool:
        """Whether this position says that all was read before."""
        return int(position) >= self.lines

    def items(self, position: str | None = None) -> Iterator[Item]:
        """The lines of the time behind a position, to the end or until `stop`. Raises PermanentError.

        A line that says no time cannot be shown to be of another: it is among them.
        """
        done = int(position or 0)
        for number, line in enumerate(self._lines(), start=1):
            if self._stopped:
                return
            if number <= done or not line.strip():
                continue
            sse_id, ms = _origin(line)
            if ms is None or self._holds(ms):
                yield str(number), Frame(sse_id, "message", line)
        self._at_end = True

    def last_position(self) -> str | None:
        """What says that everything is done; None when the end was not reached."""
        return str(self.lines) if self._at_end else None

    def watch(self) -> None:
        """A file is never silent."""

    def stop(self) -> None:
        """End the reading, from another thread."""
        self._stopped = True

    def expected(self, position: str | None) -> int:
        """How many lines are left, found by reading them."""
        return sum(1 for _ in self.items(position))

    def share(self, position: str) -> float:
        """How much of the file is done at a position, 0 to 1."""
        return int(position) / self.lines if self.lines else 1.0

    def _holds(self, ms: int) -> bool:
        return (self._since_ms is None or ms >= self._since_ms) and (self._until_ms is None or ms < self._until_ms)

    def _lines(self) -> Iterator[bytes]:
        with _readable(self._path) as file:
            # one byte more than an event may have, so that the rest of an endless line is never in memory
            while line := file.readline(MAX_VALUE_BYTES + 1):
                rest = line
                while not rest.endswith(b"\n") and (rest := file.readline(MAX_VALUE_BYTES)):
                    pass
                yield line.rstrip(b"\r\n")


@contextmanager
def _readable(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
    except (OSError, EOFError, zlib.error) as error:
        raise PermanentError(f"the archive {path} cannot be read: {error}") from error


def _origin(line: bytes) -> tuple[str, int | None]:
    """The id that the stream would give a line, and its time, ms since the epoch; "" and None when it says no time."""
    try:
        meta: dict[str, Any] = json.loads(line)["meta"]
        moment = datetime.fromisoformat(meta["dt"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return "", None
    ms = milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return json.dumps([{"topic": str(meta.get("topic") or "archive"), "partition": 0, "timestamp": ms}]), ms
