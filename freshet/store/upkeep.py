"""Reports of upkeep: what each part of a run did, or would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from freshet.store.failures import translated


@dataclass(frozen=True)
class PartReport:
    """What one part of a run of a DAG came to."""

    dag_id: str
    run_id: str
    part: str
    dry_run: bool
    started_at: datetime
    seconds: float
    report: Mapping[str, Any]


def keep(conninfo: str, report: PartReport) -> None:
    """Keep a report in place of the one before of the same part. Raises TransientError when Postgres is away."""
    with translated(), psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(_KEEP, {**vars(report), "report": Jsonb(report.report)})


def reports(conninfo: str, dag_id: str, run_id: str) -> list[PartReport]:
    """The reports of a run, in the order of their parts. Raises TransientError when Postgres is away."""
    with translated(), psycopg.connect(conninfo) as connection:
        cursor = connection.cursor(row_factory=class_row(PartReport))
        return cursor.execute(_REPORTS, {"dag_id": dag_id, "run_id": run_id}).fetchall()


_KEEP: Final = """
INSERT INTO upkeep_reports (dag_id, run_id, part, dry_run, started_at, seconds, report)
VALUES (%(dag_id)s, %(run_id)s, %(part)s, %(dry_run)s, %(started_at)s, %(seconds)s, %(report)s)
ON CONFLICT (dag_id, run_id, part) DO UPDATE SET (dry_run, started_at, seconds, report)
    = (EXCLUDED.dry_run, EXCLUDED.started_at, EXCLUDED.seconds, EXCLUDED.report)"""
_REPORTS: Final = """
SELECT dag_id, run_id, part, dry_run, started_at, seconds, report FROM upkeep_reports
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s ORDER BY part"""
