"""Keeps the store small and quick: `python -m freshet.upkeep.postgres`.

Without `--apply` it only says what it would do. Deletes in batches, so that nobody waits long for it. The last line of
standard output is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, Final

from psycopg import Connection

from freshet.errors import FreshetError
from freshet.settings import Settings, load_settings
from freshet.store import maintenance
from freshet.store.embeddings import VectorTable
from freshet.store.failures import translated
from freshet.store.maintenance import Kind
from freshet.telemetry import logs

BATCH_ROWS: Final = 2_000


def run(settings: Settings, *, apply: bool) -> dict[str, Any]:
    """Tidy up, or say what that would do. Returns a report that JSON can hold.

    Raises TransientError when Postgres is away, or somebody else is at it.
    """
    began = perf_counter()
    with translated(), maintenance.connect(settings.conninfo) as connection:
        before = _standing(connection, settings)
        report: dict[str, Any] = {"applied": apply, "expired": dict(_expired(connection, settings)), "before": before}
        if apply:
            report["deleted"] = {kind: _delete(connection, kind, when) for kind, when in _ages(settings)}
            report["orphans_deleted"], report["made_pending"] = _vectors(connection)
            report["reindexed"] = _reindex(connection, settings)
            maintenance.analyze(connection)
            report["after"] = _standing(connection, settings)
    return {**report, "seconds": round(perf_counter() - began, 3)}


def _ages(settings: Settings) -> Iterator[tuple[Kind, datetime]]:
    """What has an age, and what is older than it."""
    now = datetime.now(UTC)
    days: dict[Kind, int] = {
        "documents": settings.retention_days,
        # after the documents, which keep them
        "pages": settings.retention_days,
        "answers": settings.answers_retention_days,
        "sla_checks": settings.sla_retention_days,
        "sla_breaches": settings.sla_retention_days,
        "upkeep_reports": settings.sla_retention_days,
    }
    yield from ((kind, now - timedelta(days=number)) for kind, number in days.items() if number)


def _expired(connection: Connection, settings: Settings) -> Iterator[tuple[str, int]]:
    for kind, before in _ages(settings):
        yield kind, maintenance.count_expired(connection, kind, before)


def _delete(connection: Connection, kind: Kind, before: datetime) -> int:
    return sum(_until_none(lambda: maintenance.delete_expired(connection, kind, before, BATCH_ROWS)))


def _vectors(connection: Connection) -> tuple[int, int]:
    """Delete vectors of no document and no page; returns how many, and how many texts were found without one."""
    tables = [index.table for index in maintenance.vector_indexes(connection)]
    deleted = sum(sum(_orphans(connection, table)) for table in tables)
    return deleted, sum(maintenance.note_missing(connection, table) for table in tables)


def _orphans(connection: Connection, table: VectorTable) -> Iterator[int]:
    last: str | None = ""
    while last is not None:
        last, deleted = maintenance.delete_orphans(connection, table, last, BATCH_ROWS)
        yield deleted


def _reindex(connection: Connection, settings: Settings) -> list[str]:
    due = [one for one in maintenance.vector_indexes(connection) if one.growth >= settings.reindex_from]
    for index in due:
        maintenance.reindex(connection, index)
    return [index.table.index_name for index in due]


def _standing(connection: Connection, settings: Settings) -> dict[str, Any]:
    """How large everything is and how long a search takes."""
    indexes = maintenance.vector_indexes(connection)
    return {
        "database_bytes": maintenance.database_bytes(connection),
        "indexes": [
            {
                "model": index.table.model_id,
                "of": index.table.texts,
                "vectors": index.vectors,
                "orphans": maintenance.count_orphans(connection, index.table),
                "bytes": index.bytes,
                "needed_bytes": index.needed_bytes,
                "due": index.growth >= settings.reindex_from,
                "search_ms": maintenance.search_ms(connection, index),
            }
            for index in indexes
        ],
    }


def _until_none(batch: Callable[[], int]) -> Iterator[int]:
    while done := batch():
        yield done


def main() -> None:
    """Tidy up, and print the report."""
    arguments = argparse.ArgumentParser(prog="python -m freshet.upkeep.postgres", description=__doc__)
    doing = arguments.add_mutually_exclusive_group()
    doing.add_argument("--apply", action="store_true", help="do it")
    doing.add_argument("--dry-run", action="store_true", help="only say what would be done; the default")
    given = arguments.parse_args()
    settings = load_settings()
    logs.configure("postgres-upkeep", settings.log_level)
    sys.stdout.write(json.dumps(run(settings, apply=given.apply)) + "\n")


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
