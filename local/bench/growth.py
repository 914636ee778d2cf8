"""What the measurement of a stage comes to: its rate, the cores it took, and how both grow with what it is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Measured:
    """One stage in one configuration: what it did, for how long, and what processes used meanwhile, CPU seconds.

    The stage's own process has the stage's name. `memory_mb` is that of its processes, as `UsageHistory.memory_mb`.
    """

    stage: str
    partitions: int
    indexers: int
    units: float
    seconds: float
    cpu_seconds: Mapping[str, float]
    memory_mb: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


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
        "indexers": one.indexers if one.stage == "indexer" else None,
        "per_second": _rounded(_rate(one), 1),
        "cores": _rounded(_ratio(one.cpu_seconds[one.stage], one.seconds), 2),
        "per_cpu_second": _rounded(_efficiency(one), 1),
        "cores_beside": {
            name: _rounded(_ratio(used, one.seconds), 2) for name, used in one.cpu_seconds.items() if name != one.stage
        },
        "memory_mb": one.memory_mb,
        "ratio": _rounded(_ratio(_rate(one), _rate(first)), 2),
        "ratio_per_cpu_second": _rounded(_ratio(_efficiency(one), _efficiency(first)), 2),
        "measured": round(one.units),
        "seconds": round(one.seconds, 2),
    }


def said(one: Measured) -> str:
    """One of them for people, while the others are being measured."""
    row = _row(one, one)
    kept = "".join(
        f"; {name} {seen['first']:,.0f}, {seen['middle']:,.0f}, {seen['last']:,.0f} MB by thirds of the time"
        for name, seen in one.memory_mb.items()
    )
    return f"{one.stage}: {row['per_second']}/s, {row['cores']} cores, {row['per_cpu_second']} a CPU second{kept}"


COLUMNS: Final = ("stage", "partitions", "indexers", "per_second", "cores", "per_cpu_second", "ratio",
                  "ratio_per_cpu_second", "cores_beside")  # fmt: skip


def lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The rows for people, as a table that a document can take over."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for row in rows:
        yield f"| {' | '.join(_text(row[name]) for name in COLUMNS)} |"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {cores}" for name, cores in value.items())
    return "" if value is None else f"{value:,}" if isinstance(value, float | int) else str(value)


def _rate(one: Measured) -> float | None:
    return _ratio(one.units, one.seconds)


def _efficiency(one: Measured) -> float | None:
    return _ratio(one.units, one.cpu_seconds[one.stage])


def _ratio(of: float | None, to: float | None) -> float | None:
    return of / to if of is not None and to else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
