"""What is broken when: drawn from a seed, so that a run can be had again."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SLOT_S: Final = 12.0
"""One fault begins in every such stretch of time, wherever in it; so the next often meets what is not well yet."""

KILLS_BETWEEN: Final = 3
"""So many kills, then a fault of another kind."""


class Fault(StrEnum):
    """What can be done to the stack."""

    KILL = "kill"
    FREEZE = "freeze"
    POWER_CUT = "power cut"
    BACKLOG = "backlog"
    DISCONNECT = "disconnects"
    CUT = "frames cut off"
    MALFORMED = "malformed frames"
    STALL = "silent stream"
    THROTTLE = "429 from the stream"
    CONTEXT_429 = "429 from Wikidata"


LASTS_S: Final = {
    Fault.KILL: 0.0,
    Fault.FREEZE: 8.0,
    Fault.POWER_CUT: 0.0,
    Fault.BACKLOG: 30.0,
    Fault.DISCONNECT: 10.0,
    Fault.CUT: 10.0,
    Fault.MALFORMED: 10.0,
    Fault.STALL: 15.0,
    Fault.THROTTLE: 15.0,
    Fault.CONTEXT_429: 20.0,
}
"""How long each is kept up."""


@dataclass(frozen=True)
class Planned:
    """A fault, the process that it is done to where it is one, and when it begins, seconds from the start."""

    at_s: float
    fault: Fault
    process: str | None = None

    @property
    def name(self) -> str:
        """As it stands in the report."""
        return f"{self.fault} {self.process}" if self.process else str(self.fault)

    @property
    def lasts_s(self) -> float:
        """Seconds until it is taken back."""
        return LASTS_S[self.fault]


def plan(seconds: float, seed: int, processes: Sequence[str]) -> list[Planned]:
    """The faults of a run, in order. Each process is killed before one is killed again, and so on with every kind."""
    chance = random.Random(seed)  # noqa: S311
    kills = _deck(chance, [(Fault.KILL, name) for name in processes])
    alone = [fault for fault in Fault if fault not in (Fault.KILL, Fault.FREEZE)]
    others = _deck(chance, [*((fault, None) for fault in alone), *((Fault.FREEZE, name) for name in processes)])
    planned = []
    for slot in range(int(seconds / SLOT_S)):
        fault, process = next(others if slot % (KILLS_BETWEEN + 1) == KILLS_BETWEEN else kills)
        planned.append(Planned(SLOT_S * (slot + chance.random()), fault, process))
    return planned


def _deck(chance: random.Random, cards: Sequence[tuple[Fault, str | None]]) -> Iterator[tuple[Fault, str | None]]:
    """The cards in random order, and again in another."""
    while True:
        yield from chance.sample(cards, len(cards))
