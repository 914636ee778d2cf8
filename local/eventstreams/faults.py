"""What goes wrong on purpose: where in the log, decided by a seed, each fault once."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from freshet.errors import DataError


class Fault(StrEnum):
    """What can happen just before an entry is served."""

    DISCONNECT = "disconnect"
    CUT = "cut"
    STALL = "stall"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Faults:
    """One fault in every so many entries (connections for `throttle_every`); 0: none."""

    disconnect_every: int = 0
    cut_every: int = 0
    stall_every: int = 0
    malformed_every: int = 0
    throttle_every: int = 0
    stall_s: float = 5.0
    seed: int = 1

    def at(self, index: int) -> tuple[Fault, ...]:
        """The faults that belong before entry `index`: one of each kind at a random place of each of its spans."""
        spans = (
            (Fault.DISCONNECT, self.disconnect_every),
            (Fault.CUT, self.cut_every),
            (Fault.STALL, self.stall_every),
            (Fault.MALFORMED, self.malformed_every),
        )
        return tuple(
            fault for fault, every in spans if every and index % every == self._place(fault, index // every, every)
        )

    def _place(self, fault: Fault, span: int, every: int) -> int:
        return random.Random(f"{self.seed}:{fault}:{span}").randrange(every)  # noqa: S311


def asked(parameters: Mapping[str, str]) -> Faults:
    """Faults by their names; what is not named is none. Raises DataError for a value that is no number."""
    try:
        return TypeAdapter(Faults).validate_python(dict(parameters))
    except ValidationError as error:
        raise DataError("bad_fault", str(error)) from error


class FaultPlan:
    """The faults still to come. Each happens once, so that a client that comes again gets past it."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self._happened: set[tuple[Fault, int]] = set()
        self._connections = 0

    def due(self, index: int) -> Fault | None:
        """The next fault that belongs before entry `index`, which has not happened yet."""
        return next((fault for fault in self.faults.at(index) if (fault, index) not in self._happened), None)

    def happens(self, fault: Fault, index: int) -> None:
        """Note that it happens now."""
        self._happened.add((fault, index))
        self.counts[fault] += 1

    def throttles(self) -> bool:
        """Whether this connection, counted by the call, is refused with 429."""
        self._connections += 1
        throttled = bool(self.faults.throttle_every) and self._connections % self.faults.throttle_every == 0
        self.counts["throttle"] += throttled
        return throttled
