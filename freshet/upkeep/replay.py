"""Replays: which raw records are meant, checked against what there is, and cut into chunks. Pure.

A replay is asked for by offsets, by time or by events; `locate.py` makes offsets of the other two.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

from freshet.errors import PermanentError
from freshet.upkeep.interval import moment

CHUNK_RECORDS: Final = 100_000
"""Most records of a chunk: what a session with 2 GB works off in about a minute."""

CHUNK_RANGES: Final = 500
"""Most ranges of a chunk, which travels as one argument of a command."""

_RANGE: Final = re.compile(r"(\d+):(\d+)(?:-(\d+))?")


class Range(NamedTuple):
    """Offsets of a partition of `wiki.raw`, both ends included."""

    partition: int
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.first}-{self.last}"

    @property
    def records(self) -> int:
        """How many offsets."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Offsets:
    """Records by their places in the log."""

    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class Times:
    """Records by the broker's timestamp: from `since` on, and before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Events:
    """Records by `meta.id`, which is the id of the document as well."""

    ids: tuple[str, ...]


Request = Offsets | Times | Events


class Kept(NamedTuple):
    """What the log keeps of a partition: from `first` on, before `following`."""

    first: int
    following: int


@dataclass(frozen=True)
class Chunk:
    """Raw records that one job replays, and where it reads them."""

    source: Literal["log", "bronze"]
    ranges: tuple[Range, ...]

    @property
    def name(self) -> str:
        """Its name among the chunks of a plan; the same request over the same log gives the same."""
        return f"{self.source}-{self.ranges[0]}"

    @property
    def records(self) -> int:
        """How many offsets."""
        return sum(part.records for part in self.ranges)

    def as_json(self) -> dict[str, Any]:
        """As an argument of a task or of a command."""
        return {"source": self.source, "ranges": [list(part) for part in self.ranges]}


@dataclass(frozen=True)
class Plan:
    """The chunks, in the order of the log; and what of it the log has let go, which bronze serves."""

    chunks: tuple[Chunk, ...]
    gone: tuple[Range, ...]

    @property
    def records(self) -> int:
        """How many offsets."""
        return sum(chunk.records for chunk in self.chunks)

    @property
    def notes(self) -> list[str]:
        """What somebody who starts it should know."""
        return [
            f"partition {part.partition}: the log has let go of offsets {part.first} to {part.last}; bronze serves them"
            for part in self.gone
        ]

    def as_json(self) -> dict[str, Any]:
        """For people and for whoever runs it."""
        return {"records": self.records, "notes": self.notes, "chunks": [chunk.as_json() for chunk in self.chunks]}


def request(
    *,
    offsets: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    event_ids: Sequence[str] = (),
    doc_ids: Sequence[str] = (),
) -> Request:
    """The request that somebody wrote: offsets as `PARTITION:FIRST-LAST` or `PARTITION:OFFSET`, times as ISO 8601.

    Without `until` it goes up to now. Raises PermanentError when it is not exactly one way of choosing, or is no such
    text.
    """
    ways = {"offsets": offsets, "a time": since or until, "event ids": event_ids, "document ids": doc_ids}
    chosen = [name for name, given in ways.items() if given]
    if len(chosen) != 1:
        what = f"this names {' and '.join(chosen)}" if chosen else "this names nothing"
        raise PermanentError(f"a replay is of offsets, of a time, of events or of documents: {what}")
    if offsets:
        return Offsets(tuple(map(_range, offsets)))
    if since or until:
        return _times(since, until)
    return Events(tuple(dict.fromkeys((*event_ids, *doc_ids))))


def chunk_from(text: str) -> Chunk:
    """The chunk of its JSON. Raises PermanentError when it is none."""
    try:
        given = json.loads(text)
        ranges = tuple(Range(*map(int, part)) for part in given["ranges"])
        source = given["source"]
    except (ValueError, TypeError, KeyError) as error:
        raise PermanentError(f"this is no chunk of a replay: {text[:200]}") from error
    if source not in ("log", "bronze") or not ranges or any(part.first < 0 or part.records < 1 for part in ranges):
        raise PermanentError(f"this is no chunk of a replay: {text[:200]}")
    return Chunk(source, ranges)


def plan(
    asked: Iterable[Range], log: Mapping[int, Kept], bronze: Mapping[int, Range], most: int = CHUNK_RECORDS
) -> Plan:
    """Chunks of at most so many records that hold every offset asked for once.

    `bronze` says from where to where the lake has each partition. What the log has let go comes from there, and so do
    records that lie scattered: bronze finds them by their offsets, a reader of the log would read all that lies
    between. Raises PermanentError, naming what there is, when an offset asked for is in neither.
    """
    if most < 1:
        raise PermanentError("a chunk holds at least one record")
    ranges = list(asked)
    mistakes = [mistake for part in ranges if (mistake := _mistake(part, log, bronze))]
    if mistakes or not ranges:
        raise PermanentError("; ".join(mistakes) or f"there is no record to replay: {_all_there_is(log, bronze)}")
    gone: list[Range] = []
    sources: dict[Literal["log", "bronze"], list[Range]] = {"bronze": [], "log": []}
    for partition, group in groupby(merged(ranges), key=lambda part: part.partition):
        parts = list(group)
        first_kept = log[partition].first
        lost = [part._replace(last=min(part.last, first_kept - 1)) for part in parts if part.first < first_kept]
        left = [part._replace(first=max(part.first, first_kept)) for part in parts if part.last >= first_kept]
        gone += lost
        scattered = len(left) > 1 and partition in bronze and left[-1].last <= bronze[partition].last
        sources["bronze"] += lost + (left if scattered else [])
        sources["log"] += [] if scattered else left
    chunks = (Chunk(source, held) for source, parts in sources.items() for held in _cut(merged(parts), most))
    return Plan(tuple(chunks), tuple(gone))


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in the order of the log; those that meet or overlap are one."""
    found: list[Range] = []
    for part in sorted(ranges):
        if found and found[-1].partition == part.partition and part.first <= found[-1].last + 1:
            found[-1] = found[-1]._replace(last=max(found[-1].last, part.last))
        else:
            found.append(part)
    return found


def _range(text: str) -> Range:
    found = _RANGE.fullmatch(text.strip())
    if not found:
        raise PermanentError(f"{text!r} is not PARTITION:FIRST-LAST, such as 0:100-199 or 0:100; no offset is negative")
    partition, first, last = found.groups()
    return Range(int(partition), int(first), int(last or first))


def _times(since: str | None, until: str | None) -> Times:
    if not since:
        raise PermanentError("a replay of a time needs its beginning, `since`")
    times = Times(moment(since), moment(until) if until else datetime.now(UTC))
    if times.since >= times.until:
        raise PermanentError(f"since ({times.since.isoformat()}) must be before until ({times.until.isoformat()})")
    return times


def _mistake(part: Range, log: Mapping[int, Kept], bronze: Mapping[int, Range]) -> str:
    """What is wrong with a range, and what would be right; empty when nothing is."""
    kept = log.get(part.partition)
    if kept is None:
        return f"there is no partition {part.partition}: {_all_there_is(log, bronze)}"
    wrong = ""
    if part.first < 0:
        wrong = "an offset is not negative"
    elif part.last < part.first:
        wrong = "its end lies before its beginning"
    elif part.last >= kept.following:
        wrong = "it goes beyond the end of the log"
    elif part.first < kept.first:
        held = bronze.get(part.partition)
        if held is None or part.first < held.first or min(part.last, kept.first - 1) > held.last:
            wrong = "the log has let go of a part that bronze does not have"
    return wrong and f"{part}: {wrong}; {_there_is(part.partition, log, bronze)}"


def _there_is(partition: int, log: Mapping[int, Kept], bronze: Mapping[int, Range]) -> str:
    kept, held = log[partition], bronze.get(partition)
    stores = []
    if kept.first < kept.following:
        stores.append(f"{kept.first} to {kept.following - 1} in the log")
    if held and held.first < kept.first:
        stores.append(f"{held.first} to {held.last} in bronze")
    return f"partition {partition} has {' and '.join(stores) or 'no records'}"


def _all_there_is(log: Mapping[int, Kept], bronze: Mapping[int, Range]) -> str:
    return ", ".join(_there_is(partition, log, bronze) for partition in sorted(log)) or "there is no log"


def _cut(ranges: Iterable[Range], most: int) -> Iterator[tuple[Range, ...]]:
    """The ranges in groups of at most so many records and CHUNK_RANGES ranges; those that are longer in pieces."""
    group: list[Range] = []
    room = most
    for part in ranges:
        rest = part
        while rest.records > 0:
            piece = rest._replace(last=min(rest.last, rest.first + room - 1))
            group.append(piece)
            room -= piece.records
            rest = rest._replace(first=piece.last + 1)
            if not room or len(group) == CHUNK_RANGES:
                yield tuple(group)
                group, room = [], most
    if group:
        yield tuple(group)
