"""A stretch of time: its beginning is part of it, its end is not. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from freshet.errors import PermanentError


class Interval(NamedTuple):
    """From `since` on and before `until`, both in UTC."""

    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{written(self.since)} until {written(self.until)}"

    @property
    def minutes(self) -> float:
        """Its length, minutes."""
        return (self.until - self.since) / timedelta(minutes=1)

    def pieces(self, longest: timedelta) -> Iterator["Interval"]:
        """The same time in pieces of at most this length."""
        first = self.since
        while first < self.until:
            following = min(first + longest, self.until)
            yield Interval(first, following)
            first = following


def moment(text: str) -> datetime:
    """A time as ISO 8601, in UTC. Raises PermanentError when it is none, or names no time zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise PermanentError(f"{text!r} is no time, such as 2026-11-23T10:15:00Z") from error
    if time.tzinfo is None:
        raise PermanentError(f"{text!r} names no time zone; 2026-11-23T10:15:00Z does")
    return time.astimezone(UTC)


def written(time: datetime) -> str:
    """A time as `moment` reads it: as short as it can be, in UTC."""
    digits = "milliseconds" if time.microsecond else "seconds"
    return time.astimezone(UTC).isoformat(timespec=digits).replace("+00:00", "Z")


def milliseconds(time: datetime) -> int:
    """Milliseconds since the epoch, as the event stream and the log count."""
    return round(time.timestamp() * 1000)


def at(ms: int) -> datetime:
    """The time of so many milliseconds since the epoch."""
    return datetime.fromtimestamp(ms / 1000, UTC)
