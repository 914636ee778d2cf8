"""A time of the event stream: read from its beginning on, without what lies outside, to its end."""

import json
import time
from collections.abc import Iterator

from freshet.contract import topics
from freshet.settings import Settings
from freshet.upkeep.interval import Interval, milliseconds, written
from freshet.upkeep.received import identity
from producer.connection import Reader
from producer.frames import Frame
from producer.pump import Item
from producer.resume import advanced, timestamps


class Past:
    """What the stream had in an interval, whose end lies in the past.

    The position is kept by the beginning alone: whoever asks later for a longer time from there goes on.
    """

    def __init__(self, settings: Settings, interval: Interval) -> None:
        self.key = f"{topics.BACKFILL_KEY}{identity(settings)}:{written(interval.since)}"
        self.name = f"{settings.stream_url} from {interval}"
        self.nothing_more = False
        # before the connection itself is given up as stalled, and opened again
        self.quiet_after_s = 0.8 * settings.stall_timeout_s
        self._settings = settings
        self._interval = interval
        self._since_ms, self._until_ms = map(milliseconds, interval)
        self._reader: Reader | None = None
        self._asked_at: float | None = None
        self._passed = ""

    def is_done(self, position: str) -> bool:
        """Whether this position says that all was read before."""
        return self._is_behind(timestamps(position))

    def items(self, position: str | None) -> Iterator[Item]:
        """The frames of the interval behind a position, to its end or until `stop`. Raises PermanentError."""
        self._reader = Reader(self._settings, position, written(self._interval.since))
        self._asked_at = time.monotonic()
        for frame in self._reader.frames():
            times = timestamps(frame.id)
            if self._is_behind(times):
                self._passed = frame.id
                return
            own_ms = _own_ms(frame, times)
            if own_ms is None or self._since_ms <= own_ms < self._until_ms:
                self._asked_at = None
                yield frame.id, frame
                self._asked_at = time.monotonic()

    def last_position(self) -> str | None:
        """What says that everything is done; None when the end was not reached."""
        return advanced(self._passed, self._until_ms) if self._passed else None

    def watch(self) -> None:
        """End the reading when a stream that is connected has had nothing more of the interval for long enough.

        A topic that is silent, or a recording that is over, would never be seen to pass the end.
        """
        opened = self._reader.opened_at if self._reader else None
        if (asked := self._asked_at) is None or opened is None:
            return
        if time.monotonic() - max(asked, opened) > self.quiet_after_s:
            self.nothing_more = True
            self.stop()

    def stop(self) -> None:
        """End the reading, from another thread."""
        if self._reader is not None:
            self._reader.stop()

    def expected(self, _position: str | None) -> None:
        """How many frames are left is not known before they are read."""

    def share(self, position: str) -> float:
        """How much of the interval is done at a position, 0 to 1."""
        now_ms = max(timestamps(position).values(), default=self._since_ms)
        return min(1.0, max(0.0, (now_ms - self._since_ms) / (self._until_ms - self._since_ms)))

    def _is_behind(self, times: dict[str, int]) -> bool:
        """Whether every topic has passed the end: while history is read, one of two is often far ahead."""
        return bool(times) and all(ms >= self._until_ms for ms in times.values())


def _own_ms(frame: Frame, times: dict[str, int]) -> int | None:
    """When a frame happened: an id has the time of each topic, of which the frame is of one."""
    newest = max(times.values(), default=None)
    if len(times) < 2:
        return newest
    try:
        return times.get(json.loads(frame.data)["meta"]["topic"], newest)
    except (ValueError, TypeError, LookupError, RecursionError):
        return newest
