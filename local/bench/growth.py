"""What the measurement of a stage comes to: its rate, the cores it took, and how both grow with what it is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measured:
    """One stage in one configuration: what it did, for how long, and what processes used meanwhile, CPU seconds.

    The stage's own process has the stage's name.
    """

    stage: str
    partitions: int
    indexers: int
    units: float
    seconds: float
    cpu_seconds: Mapping[str, float]


def figures(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """A row for each, in order.

    `per_cpu_second` is the rate of a core that does nothing but this stage's process: on few cores the rate itself is
    shared with whatever works beside it, `cores_beside`. `ratio` and `ratio_per_cpu_second` are how many times those of
    the stage's first configuration they are.
    """
    first: dict[str, Measured] = {}
    return [_row(one, first.setdefault(one.stage, one)) for one in measured]


def _row(one: Measured, first: Measured) -> dict[str, Any]:
    return {
        "stage": one.stage,
        "partitions": one.partitions,
        "indexers": one.indexers,
        "per_second": _rounded(_rate(one), 1),
        "cores": _rounded(_ratio(one.cpu_seconds[one.stage], one.seconds), 2),
        "per_cpu_second": _rounded(_efficiency(one), 1),
        "cores_beside": {
            name: _rounded(_ratio(used, one.seconds), 2) for name, used in one.cpu_seconds.items() if name != one.stage
        },
        "ratio": _rounded(_ratio(_rate(one), _rate(first)), 2),
        "ratio_per_cpu_second": _rounded(_ratio(_efficiency(one), _efficiency(first)), 2),
        "measured": round(one.units),
        "seconds": round(one.seconds, 2),
    }


def lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The rows for people."""
    for row in rows:
        beside = ", ".join(f"{name} {cores}" for name, cores in row["cores_beside"].items())
        indexers = f", {row['indexers']} indexers" if row["stage"] == "indexer" else ""
        yield (
            f"{row['stage']}, {row['partitions']} partitions{indexers}: "
            f"{row['per_second']}/s with {row['cores']} cores ({beside} beside), {row['per_cpu_second']} a CPU second; "
            f"{row['ratio']} and {row['ratio_per_cpu_second']} times the first"
        )


def _rate(one: Measured) -> float | None:
    return _ratio(one.units, one.seconds)


def _efficiency(one: Measured) -> float | None:
    return _ratio(one.units, one.cpu_seconds[one.stage])


def _ratio(of: float | None, to: float | None) -> float | None:
    return of / to if of is not None and to else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
