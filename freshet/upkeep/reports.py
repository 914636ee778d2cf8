"""One report of a run, made of those of its parts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from freshet.settings import Settings
from freshet.store import upkeep
from freshet.store.upkeep import PartReport


def keep(settings: Settings, dag_id: str, run_id: str, part: str, report: Mapping[str, Any]) -> None:
    """Keep the report of a part that says by itself whether it was `applied` and how many `seconds` it took."""
    now = datetime.now(UTC)
    upkeep.keep(
        settings.conninfo, PartReport(dag_id, run_id, part, not report["applied"], now, report["seconds"], report)
    )


def collected(
    settings: Settings, dag_id: str, run_id: str, more: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> dict[str, Any]:
    """The reports of a run's parts, kept ones and `more`, which are kept as well; and the sums of their figures."""
    for part, report in more.items():
        keep(settings, dag_id, run_id, part, report)
    parts = {kept.part: dict(kept.report) for kept in upkeep.reports(settings.conninfo, dag_id, run_id)}
    total: dict[str, Any] = {}
    for report in parts.values():
        total = added(total, report)
    return {"parts": parts, "total": total}


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The sums of numbers under the same names, however deep; what is no number is left out."""
    total = dict(one)
    for name, value in other.items():
        if isinstance(value, Mapping):
            total[name] = added(total.get(name, {}), value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            total[name] = total.get(name, 0) + value
    return total
