"""Postgres: whether it answers, how large and busy the store is, its model, and what waits to leave the lake."""

from datetime import UTC, datetime

from freshet.settings import Settings
from freshet.store import removed, watch
from freshet.store.sla import connect
from freshet.telemetry import metrics


class Store:
    """The store, asked through a new connection each time: that is what a reader needs as well."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def look(self) -> None:
        """Set the gauges. Raises psycopg.Error or ConfigError."""
        with connect(self._settings.conninfo, self._settings.sla_timeout_s) as connection:
            size = watch.size(connection)
            active = watch.active_model(connection)
            waiting = removed.waiting(connection)
            since = removed.waiting_since(connection) or datetime.now(UTC)
        metrics.DATABASE_BYTES.set(size.bytes)
        metrics.DATABASE_CONNECTIONS.set(size.connections)
        metrics.DATABASE_MOST.set(size.max_connections)
        metrics.DATABASE_DOCUMENTS.set(size.documents)
        metrics.REMOVED_WAITING.set(waiting)
        metrics.REMOVED_SINCE.set(since.timestamp())
        metrics.MODEL_ACTIVE.clear()
        if active:
            metrics.MODEL_ACTIVE.labels(active).set(1)
