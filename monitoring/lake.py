"""The lake's tables: when each was last committed to, and what files it has. No data is read."""

from datetime import UTC, datetime

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from freshet.delta import UNREADABLE, newest_commit
from freshet.settings import Settings
from freshet.telemetry import metrics
from freshet.upkeep.lake_files import files, small_files

LAYERS = ("bronze", "silver", "gold", "rejected")
GAUGES = (
    metrics.TABLE_COMMIT,
    metrics.TABLE_VERSION,
    metrics.TABLE_FILES,
    metrics.TABLE_BYTES,
    metrics.TABLE_SMALL,
    metrics.TABLE_SMALL_SINCE,
)


class Lake:
    """The tables, each opened once and brought up to date at every look."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tables: dict[str, DeltaTable] = {}

    def look(self) -> None:
        """Set the gauges of the tables that there are. Raises what is in UNREADABLE; then there are none."""
        try:
            for layer in LAYERS:
                self._report(layer)
        except UNREADABLE:
            self._tables.clear()
            for gauge in GAUGES:
                gauge.clear()
            raise

    def _report(self, layer: str) -> None:
        table = self._table(layer)
        if table is None:
            return
        listed = files(table)
        small = small_files(listed, self._settings.compact_file_mb)
        now_ms = datetime.now(UTC).timestamp() * 1000
        metrics.TABLE_COMMIT.labels(layer).set(newest_commit(table)["timestamp"] / 1000)
        metrics.TABLE_VERSION.labels(layer).set(table.version())
        metrics.TABLE_FILES.labels(layer).set(len(listed))
        metrics.TABLE_BYTES.labels(layer).set(sum(file["size_bytes"] for file in listed))
        metrics.TABLE_SMALL.labels(layer).set(len(small))
        since_ms = min((file["modification_time"] for file in small), default=now_ms)
        metrics.TABLE_SMALL_SINCE.labels(layer).set(since_ms / 1000)

    def _table(self, layer: str) -> DeltaTable | None:
        """None as long as there is no such table."""
        if layer in self._tables:
            self._tables[layer].update_incremental()
        else:
            try:
                self._tables[layer] = DeltaTable(self._settings.lake.table(layer))
            except TableNotFoundError:
                return None
        return self._tables[layer]
