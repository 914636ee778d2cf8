"""Gaps in what was received: runs of minutes with far fewer events than usual. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from statistics import median
from typing import Any, Final, NamedTuple

from freshet.upkeep.interval import Interval, at, written

MINUTE_MS: Final = 60_000

LEAST_USUAL: Final = 30
"""Events of a usual minute. With fewer an empty minute may be chance, and nothing is said."""

LEAST_MINUTES: Final = 10
"""So many minutes with events tell what is usual."""

MARGIN: Final = timedelta(minutes=1)
"""An outage begins and ends within minutes that do not look empty: a gap is filled from one before to one behind."""


@dataclass(frozen=True)
class Counts:
    """Events by minute since the epoch, of the time that can be judged: from minute `first` on, before `following`."""

    by_minute: Mapping[int, int]
    first: int
    following: int


class Gap(NamedTuple):
    """A time to fill, the events that are there of its minutes, and about how many are not."""

    interval: Interval
    there: int
    missing: int

    def as_json(self) -> dict[str, Any]:
        """For reports."""
        since, until = map(written, self.interval)
        return {"since": since, "until": until, "there": self.there, "missing": self.missing}


@dataclass(frozen=True)
class Continuity:
    """What was looked at, what a usual minute has, and the gaps. `note` says why there is nothing to say."""

    minutes: int
    usual: float
    gaps: tuple[Gap, ...]
    note: str = ""


def continuity(counts: Counts, share: float) -> Continuity:
    """The runs of minutes with less than this share of the usual, which is the median of the minutes with any."""
    minutes = range(counts.first, counts.following)
    of_minutes = {minute: counts.by_minute.get(minute, 0) for minute in minutes}
    some = [count for count in of_minutes.values() if count]
    usual = float(median(some)) if some else 0.0
    if len(some) < LEAST_MINUTES:
        note = f"{len(some)} minutes with events: fewer than {LEAST_MINUTES} do not tell what is usual"
        return Continuity(len(minutes), usual, (), note)
    if usual < LEAST_USUAL:
        note = f"a usual minute has {usual:g} events: with fewer than {LEAST_USUAL} an empty one may be chance"
        return Continuity(len(minutes), usual, (), note)
    return Continuity(len(minutes), usual, tuple(_gaps(of_minutes, usual, share)))


def _gaps(of_minutes: Mapping[int, int], usual: float, share: float) -> Iterator[Gap]:
    for thin, run in groupby(of_minutes, lambda minute: of_minutes[minute] < share * usual):
        if thin:
            span = list(run)
            there = sum(of_minutes[minute] for minute in span)
            ends = at(span[0] * MINUTE_MS) - MARGIN, at((span[-1] + 1) * MINUTE_MS) + MARGIN
            yield Gap(Interval(*ends), there, round(usual * len(span)) - there)
