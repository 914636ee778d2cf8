"""What became of every fault, and whether the books balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.audit.balance import Report
from local.chaos.plan import Fault, Planned
from local.chaos.watch import Sample

FRESH_S: Final = 10.0
"""A fault is got over once what it hit works, and the newest searchable edit is at most so old. Faults that meet share
what is stale."""

ON_THE_WAY: Final = frozenset({"producer", "kafka", "serve", "indexer", "postgres"})
"""What an edit passes until it is searchable; without any other process it becomes so as ever."""

SETTLE_S: Final = 1.0
"""A look that began sooner after a fault may not have seen it."""


@dataclass(frozen=True)
class Hit:
    """A fault that happened: what it was done to, and from when to when, by `time.monotonic`."""

    planned: Planned
    processes: Sequence[str]
    began: float
    ended: float


@dataclass(frozen=True)
class Outcome:
    """How long after its end a fault was got over, and how stale the index became until then, s: None for a fault that
    keeps no edit from becoming searchable."""

    name: str
    recovery_s: float
    staleness_s: float | None


def outcome(hit: Hit, samples: Sequence[Sample]) -> Outcome:
    """Of one fault. One that is not got over by the last look counts until then."""
    since = [sample for sample in samples if sample.at >= hit.began]
    after = (sample for sample in since if sample.at >= hit.ended + SETTLE_S and _well(hit, sample))
    over = next(after, since[-1])
    stale = max(sample.staleness_s for sample in since if sample.at <= over.at)
    return Outcome(hit.planned.name, over.at - hit.ended, stale if _delays(hit) else None)


def report(hits: Sequence[Hit], samples: Sequence[Sample], books: Report) -> dict[str, Any]:
    """The whole run, for `--json`. A power cut is one kill."""
    outcomes = [outcome(hit, samples) for hit in hits]
    count = {kind: sum(one.count for one in books.imbalances if one.kind == kind) for kind in ("missing", "doubled")}
    return {
        "kills": sum(hit.planned.fault in (Fault.KILL, Fault.POWER_CUT) for hit in hits),
        "balanced": books.balanced,
        "lost": count["missing"],
        "doubled": count["doubled"],
        "longest_recovery_s": round(max((one.recovery_s for one in outcomes), default=0.0), 1),
        "longest_staleness_s": round(max((sample.staleness_s for sample in samples), default=0.0), 1),
        "faults": {name: _of(name, outcomes) for name in sorted({one.name for one in outcomes})},
        "books": books.as_json(),
    }


def _delays(hit: Hit) -> bool:
    return not ON_THE_WAY.isdisjoint(hit.processes)


def _well(hit: Hit, sample: Sample) -> bool:
    return set(hit.processes) <= sample.ready and (sample.staleness_s <= FRESH_S or not _delays(hit))


def _of(name: str, outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    same = [one for one in outcomes if one.name == name]
    stale = [one.staleness_s for one in same if one.staleness_s is not None]
    return {
        "count": len(same),
        "longest_recovery_s": round(max(one.recovery_s for one in same), 1),
        "longest_staleness_s": round(max(stale), 1) if stale else None,
    }
