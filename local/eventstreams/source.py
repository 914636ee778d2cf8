"""What a stand-in can serve: a numbered, deterministic series of events."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol


class Kind(StrEnum):
    """What an entry is to whoever receives it."""

    EVENT = "event"
    CANARY = "canary"
    MALFORMED = "malformed"


class Described(NamedTuple):
    """An entry's kind and its meta.id, which a malformed one lacks."""

    kind: Kind
    id: str | None


class Source(Protocol):
    """A series of events; entry `index` is the same bytes every time it is asked for with the same time."""

    name: str
    """recording or simulated."""
    identity: str
    """Differs when the entries do."""

    @property
    def total(self) -> int | None:
        """How many there are; None: no end."""
        ...

    def data(self, index: int, timestamp_ms: int) -> bytes:
        """The `data` of entry `index`, which happens at `timestamp_ms` since the epoch."""
        ...

    def describe(self, index: int) -> Described:
        """What entry `index` is."""
        ...


def iso_ms(timestamp_ms: int) -> str:
    """`2026-11-23T10:15:30.123Z`, the form of meta.dt."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def compact(event: dict[str, Any]) -> bytes:
    """An event as one line of JSON, scripts unescaped, as MediaWiki writes it."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
