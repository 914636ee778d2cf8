"""Takes out of silver and gold what was removed, beside whatever else writes them. It needs no JVM, so that doing it by
the hour costs little; bronze and the rejected records are looked through by `spark_jobs.forget`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from time import perf_counter
from typing import Any, Final

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from freshet.contract.removals import Origin, Standing
from freshet.delta import UNREADABLE, until_committed
from freshet.errors import TransientError
from freshet.lake import LAYERS
from freshet.settings import Settings
from freshet.store import covered, removals, removed
from freshet.store.covered import Covered

TABLES: Final = ("silver", "gold")
SETTLED: Final = timedelta(minutes=30)
"""What was removed more recently may still be on its way into the lake."""


class Search(StrEnum):
    """What is to be looked through; the values are the tasks of the DAG `forget`."""

    TABLES = "tables"
    """Silver and gold."""
    LAKE = "lake"
    """Bronze and the rejected records as well, for what was removed by hand: it costs a JVM."""


def due(settings: Settings, *, scheduled: bool) -> Search | None:
    """What there is to do. By schedule nothing before something has waited for SETTLED.

    Raises TransientError when Postgres is away.
    """
    age = SETTLED if scheduled else timedelta()
    if scheduled and not removed.due(settings.conninfo, age):
        return None
    return Search.LAKE if removed.due(settings.conninfo, age, Origin.HAND) else Search.TABLES


def run(settings: Settings, *, apply: bool) -> dict[str, Any]:
    """Search for all that stands; count it, or take it out. Returns a report, whose `rows` are those of every layer.

    Killed anywhere, the next run finishes it. Raises TransientError when a table cannot be read or is written by others
    all the time, or Postgres is away.
    """
    began, clock = datetime.now(UTC), perf_counter()
    wanted = removals.standing(settings.conninfo)
    found = search(settings, wanted)
    rows = take_out(settings, found) if apply else counted(found)
    if apply:
        removed.searched(settings.conninfo, wanted, ids(found), began, [Origin.STREAM])
        vacuum(settings)
    report = {"applied": apply, "removals": len(wanted), "rows": dict.fromkeys(LAYERS, 0) | rows}
    return report | {"seconds": round(perf_counter() - clock, 3)}


def search(settings: Settings, wanted: Sequence[Standing]) -> dict[str, list[Covered]]:
    """The rows of silver and of gold that removals cover. Raises TransientError when a table cannot be read."""
    with _translated():
        return {layer: list(covered.rows(_table(settings, layer), wanted)) for layer in _there(settings)}


def counted(found: dict[str, list[Covered]]) -> dict[str, int]:
    """How many rows each table would lose."""
    return {layer: len(found.get(layer, ())) for layer in TABLES}


def ids(found: dict[str, list[Covered]]) -> list[str]:
    """Of all events that were found."""
    return list({one.why.event_id for rows in found.values() for one in rows})


def take_out(settings: Settings, found: dict[str, list[Covered]]) -> dict[str, int]:
    """Take them out. Returns how many rows each table lost.

    Noted first: killed in between, nothing is missing from the lake of which nobody knows why. Raises TransientError
    when a table is written by others all the time.
    """
    why = {one.why.event_id: one.why for rows in found.values() for one in rows}
    removed.note(settings.conninfo, list(why.values()))
    return dict.fromkeys(TABLES, 0) | {layer: _delete(settings, layer, rows) for layer, rows in found.items()}


def vacuum(settings: Settings) -> None:
    """Remove the files of silver and gold that no version has had for as long as the setting says.

    Raises TransientError when a table cannot be read.
    """
    hours = settings.compact_keep_hours
    with _translated():
        for layer in _there(settings):
            # its own bound is a week; ours is that of the setting
            _table(settings, layer).vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)


def _delete(settings: Settings, layer: str, rows: Sequence[Covered]) -> int:
    # by time, so that few files have rows of several lists
    ordered = sorted(rows, key=lambda one: one.event_time)
    lists = [ordered[first : first + covered.MOST] for first in range(0, len(ordered), covered.MOST)]
    return sum(_delete_list(settings, layer, one) for one in lists)


def _delete_list(settings: Settings, layer: str, rows: Sequence[Covered]) -> int:
    """Again from the newest version, when another writer's commit came first."""
    with _translated():
        return until_committed(layer, lambda: covered.delete(_table(settings, layer), rows), _is_conflict)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise TransientError(f"the lake cannot be read or written: {error}") from error


def _is_conflict(error: BaseException) -> bool:
    return isinstance(error, CommitFailedError)


def _there(settings: Settings) -> list[str]:
    return [layer for layer in TABLES if DeltaTable.is_deltatable(settings.lake.table(layer))]


def _table(settings: Settings, layer: str) -> DeltaTable:
    return DeltaTable(settings.lake.table(layer))
