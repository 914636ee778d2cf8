"""How long documents took to become searchable, stage by stage."""

from collections.abc import Mapping
from datetime import datetime

from psycopg import Connection, sql

from freshet.contract import topics

# Stages as pairs of columns; each is the time from the first to the second.
STAGES: Mapping[str, tuple[str, str]] = {
    "received_to_raw": ("received_at", "raw_timestamp"),
    "raw_to_gold": ("raw_timestamp", "gold_at"),
    "gold_to_searchable": ("gold_at", "searchable_at"),
    "received_to_searchable": ("received_at", "searchable_at"),
    "event_to_searchable": ("event_time", "searchable_at"),
}


def percentiles(connection: Connection, since: datetime, until: datetime) -> dict[str, dict[str, float]]:
    """p50, p95, p99, max (ms) and count by stage, over the documents received live in `[since, until)`."""
    return {stage: _percentiles(connection, *columns, since, until) for stage, columns in STAGES.items()}


def _percentiles(connection: Connection, start: str, end: str, since: datetime, until: datetime) -> dict[str, float]:
    query = sql.SQL(
        "WITH took AS (SELECT 1000 * greatest(extract(epoch FROM {end} - {start}), 0)::float8 AS ms"
        " FROM documents WHERE received_at >= %s AND received_at < %s AND source <> %s)"
        " SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ms), max(ms), count(*) FROM took"
    ).format(start=sql.Identifier(start), end=sql.Identifier(end))
    row = connection.execute(query, (since, until, topics.BACKFILL)).fetchone()
    if row is None or row[2] == 0:
        return {"count": 0}
    (p50, p95, p99), longest, count = row
    rounded = {"p50": p50, "p95": p95, "p99": p99, "max": longest}
    return {**{name: round(value, 1) for name, value in rounded.items()}, "count": count}


def count_documents(connection: Connection) -> int:
    """How many documents are searchable."""
    row = connection.execute("SELECT count(*) FROM documents").fetchone()
    return int(row[0]) if row else 0


def count_texts(connection: Connection) -> int:
    """How many different texts the documents have: each is embedded once."""
    row = connection.execute("SELECT count(DISTINCT content_hash) FROM documents").fetchone()
    return int(row[0]) if row else 0


def newest(connection: Connection) -> datetime | None:
    """When the newest of the searchable documents was received; None when there is none."""
    row = connection.execute("SELECT max(received_at) FROM documents").fetchone()
    return row[0] if row else None
