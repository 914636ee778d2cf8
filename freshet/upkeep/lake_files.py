"""What the logs of the lake's tables say of their files; no data is read. It blocks."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from freshet.delta import newest_commit
from freshet.settings import Settings
from freshet.upkeep.observations import LakeSeen

ENOUGH: Final = 16
"""So many small files are worth a compaction, which costs a JVM."""

LONG_ENOUGH: Final = timedelta(hours=1)
"""Fewer are put together when they have waited so long."""

File = Mapping[str, Any]
"""A file's path, `size_bytes`, `modification_time` (ms), and its statistics and partition by their names."""


def look(settings: Settings) -> LakeSeen:
    """How far bronze has come, and what of gold is small. Raises what is in `freshet.delta.UNREADABLE`."""
    bronze, gold = (_table(settings.lake.table(layer)) for layer in ("bronze", "gold"))
    reached = [file["max.kafka_timestamp"] for file in files(bronze)] if bronze else []
    small = small_files(files(gold), settings.compact_file_mb) if gold else []
    return LakeSeen(
        committed_at=_moment(newest_commit(bronze)["timestamp"]) if bronze else None,
        logged_until=max((moment for moment in reached if moment), default=None),
        small_files=len(small),
        small_since=_moment(min(file["modification_time"] for file in small)) if small else None,
    )


def standing(settings: Settings, layer: str) -> dict[str, float | None]:
    """The `files` and `bytes` of a table, and of these the `small_` ones that a compaction would put together; and the
    `expired_` files, which have been no part of it for as long as the setting says.

    `expired_bytes` is None where the lake is not on this machine. `query_ms` is how long it takes to count the rows,
    for which every file is opened. Raises what is in `freshet.delta.UNREADABLE`.
    """
    table = _table(settings.lake.table(layer))
    listed = files(table) if table else []
    small = small_files(listed, settings.compact_file_mb)
    expired = _expired(table, settings.compact_keep_hours) if table else []
    return {
        "files": len(listed),
        "bytes": _bytes(listed),
        "small_files": len(small),
        "small_bytes": _bytes(small),
        "expired_files": len(expired),
        "expired_bytes": _bytes_on_disk(settings.lake.table(layer), expired),
        "query_ms": _query_ms(table) if table else None,
    }


def due(settings: Settings, layer: str) -> bool:
    """Whether there is enough to put together, or it has waited for long enough. Raises as `standing` does."""
    table = _table(settings.lake.table(layer))
    small = small_files(files(table), settings.compact_file_mb) if table else []
    since = _moment(min(file["modification_time"] for file in small)) if small else None
    return len(small) >= ENOUGH or (since is not None and since < datetime.now(UTC) - LONG_ENOUGH)


def files(table: DeltaTable) -> list[File]:
    """The files of a table's newest version."""
    return list(pa.table(table.get_add_actions(flatten=True)).to_pylist())


def small_files(listed: Iterable[File], target_mb: int) -> list[File]:
    """Files that a compaction would put together: two or more of a partition that fit into one file.

    What a compaction leaves over is one small file, made when it ran: so the oldest of several is as old as the last
    compaction, or as the table.
    """
    by_partition: dict[tuple[Any, ...], list[File]] = {}
    for file in listed:
        if file["size_bytes"] * 2 < target_mb * 1_000_000:
            partition = tuple(value for name, value in file.items() if name.startswith("partition."))
            by_partition.setdefault(partition, []).append(file)
    return [file for together in by_partition.values() if len(together) > 1 for file in together]


def _expired(table: DeltaTable, hours: int) -> list[str]:
    # its own bound is a week; ours is that of the setting
    return table.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)


def _query_ms(table: DeltaTable) -> float:
    began = perf_counter()
    table.to_pyarrow_dataset().count_rows()
    return round((perf_counter() - began) * 1000, 1)


def _bytes(listed: Iterable[File]) -> int:
    return sum(file["size_bytes"] for file in listed)


def _bytes_on_disk(uri: str, paths: Iterable[str]) -> int | None:
    folder = Path(uri.removeprefix("file://"))
    return sum((folder / path).stat().st_size for path in paths) if folder.is_dir() else None


def _table(uri: str) -> DeltaTable | None:
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
