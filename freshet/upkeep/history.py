"""History that is asked for: a time of the event stream, or archives; checked, and cut into parts. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from freshet.errors import PermanentError
from freshet.upkeep.interval import Interval, moment, written

STREAM_KEEPS: Final = timedelta(days=31)
"""Longer than Wikimedia keeps any of its streams: what is older can only come from an archive."""

PART: Final = timedelta(hours=1)
"""Longest time of the stream that one part is of: what is killed or fails does not take the rest with it."""


@dataclass(frozen=True)
class History:
    """What is to be read again. Of the stream both times are set; of archives they may be None: all of a file."""

    since: datetime | None
    until: datetime | None
    archives: tuple[str, ...] = ()

    @property
    def interval(self) -> Interval | None:
        """The time, when it has both ends."""
        return Interval(self.since, self.until) if self.since and self.until else None

    @property
    def name(self) -> str:
        """Its name among the parts of a run."""
        return " ".join(self.arguments)

    @property
    def arguments(self) -> list[str]:
        """What `python -m producer.backfill` and `freshet backfill` call it."""
        times = (("--since", self.since), ("--until", self.until))
        named = [word for option, time in times if time for word in (option, written(time))]
        return [*named, *(word for path in self.archives for word in ("--archive", path))]

    def parts(self) -> Iterator["History"]:
        """The same in parts that one process reads each: an archive, or an hour of the stream."""
        if self.archives:
            yield from (History(self.since, self.until, (path,)) for path in self.archives)
        elif self.interval:
            yield from (History(*piece) for piece in self.interval.pieces(PART))


def history(since: str | None, until: str | None, archives: Sequence[str], now: datetime) -> History:
    """The history that somebody asked for, times as ISO 8601. Of the stream `until` is now when it is not said.

    Raises PermanentError that says what is wrong with it.
    """
    first, last = moment(since) if since else None, moment(until) if until else None
    if not archives:
        if first is None:
            raise PermanentError("history is of a time, which begins at `since`, or of archives: this names neither")
        last = last or now
    late = first and f"since ({written(first)})"
    for time, name in ((first, late), (last, last and f"until ({written(last)})")):
        if time and time > now:
            raise PermanentError(f"{name} lies in the future: it is {written(now)}")
    if first and last and first >= last:
        raise PermanentError(f"{late} must be before until ({written(last)})")
    if first and not archives and first < now - STREAM_KEEPS:
        raise PermanentError(
            f"{late} is older than the event stream keeps, which is {STREAM_KEEPS.days} days at most: name an archive"
        )
    return History(first, last, tuple(archives))
