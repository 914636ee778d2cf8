"""What each store holds, as plain values that `balance` can compare."""

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Coordinates(NamedTuple):
    """Where a record is in its topic."""

    partition: int
    offset: int


@dataclass(frozen=True)
class Served:
    """What the stand-in event stream has served: ids of events, and how many canaries and malformed frames."""

    events: frozenset[str]
    canaries: int
    malformed: int


@dataclass(frozen=True)
class Record:
    """A raw record as the audit reads it by itself, without the transforms."""

    event_id: str | None
    canary: bool


class Fate(Enum):
    """What can become of a raw record."""

    SILVER = "silver"
    REJECTED = "rejected"
    CANARY = "canary"
    DUPLICATE = "duplicate"
    REMOVED = "removed"
    LOST = "lost"


@dataclass
class Books:
    """All stores at one cut: only records whose raw offset is below the cut of their partition.

    A Counter counts how often a store holds an id; a set is of a store that may repeat one harmlessly.
    """

    raw: dict[Coordinates, Record] = field(default_factory=dict)
    bronze: Counter[Coordinates] = field(default_factory=Counter)
    silver: Counter[str] = field(default_factory=Counter)
    silver_at: dict[str, Coordinates] = field(default_factory=dict)
    belongs_in_gold: set[str] = field(default_factory=set)
    gold: Counter[str] = field(default_factory=Counter)
    rejected: Counter[Coordinates] = field(default_factory=Counter)
    dead_letters: Counter[Coordinates] = field(default_factory=Counter)
    silver_topic: set[str] = field(default_factory=set)
    gold_topic: set[str] = field(default_factory=set)
    rejected_topic: set[Coordinates] = field(default_factory=set)
    dead_letter_topic: dict[Coordinates, str] = field(default_factory=dict)
    documents: Counter[str] = field(default_factory=Counter)
    embedded: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    served: Served | None = None
    removed: set[str] = field(default_factory=set)
    """Events that were removed: nothing may hold them but the log, bronze, and the lake while it waits."""

    removed_by_hand: set[str] = field(default_factory=set)
    """Of these the ones that leave bronze and the rejected as well."""

    removed_places: set[Coordinates] = field(default_factory=set)
    """Where the raw records of those are, which may name no event."""

    log_begins: dict[int, int] = field(default_factory=dict)
    """First raw offset by partition that the broker still has: what was made of earlier ones it may have let go too."""

    @property
    def was_rejected(self) -> set[str]:
        """Events of silver that the topics have among the rejected: a replay moved them."""
        return {key for key, where in self.silver_at.items() if where in self.rejected_topic}

    @property
    def was_silver(self) -> dict[Coordinates, str]:
        """Rejected records that the topics have as events, with the event's id: a replay moved them."""
        ids = {where: record.event_id for where in self.rejected if (record := self.raw.get(where))}
        return {where: event_id for where, event_id in ids.items() if event_id and event_id in self.silver_topic}

    @property
    def events_in_log(self) -> set[str]:
        """Events of silver whose raw record the broker still has, and so what the serve query made of it."""
        return {key for key, where in self.silver_at.items() if self.in_log(where)}

    @property
    def rejected_in_log(self) -> set[Coordinates]:
        """The same of rejected records."""
        return {where for where in self.rejected if self.in_log(where)}

    def in_log(self, where: Coordinates) -> bool:
        """Whether the broker still has a raw record."""
        return where.offset >= self.log_begins.get(where.partition, 0)

    def taken_out(self, where: Coordinates) -> bool:
        """Whether a raw record was removed by hand, from bronze and the rejected too."""
        record = self.raw.get(where)
        return where in self.removed_places or (record is not None and record.event_id in self.removed_by_hand)

    def fate(self, where: Coordinates) -> Fate:
        """What became of a raw record: exactly one of these."""
        record = self.raw[where]
        if where in self.rejected:
            return Fate.REJECTED
        if record.canary:
            return Fate.CANARY
        if record.event_id is None or record.event_id not in self.silver:
            return Fate.REMOVED if record.event_id in self.removed or self.taken_out(where) else Fate.LOST
        return Fate.SILVER if self.silver_at[record.event_id] == where else Fate.DUPLICATE


def identify(value: bytes | None) -> Record:
    """The event id and whether it is a canary, read leniently from a raw payload."""
    try:
        event = json.loads(value or b"")
    except ValueError:
        return Record(None, False)
    meta = event.get("meta") if isinstance(event, dict) else None
    if not isinstance(meta, dict):
        return Record(None, False)
    event_id = meta.get("id")
    return Record(event_id if isinstance(event_id, str) else None, meta.get("domain") == "canary")
