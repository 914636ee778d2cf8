"""Puts small files of the lake together and removes those that no table has any more: `python -m spark_jobs.compact`.

Without `--apply` it only says what it would do, and needs no JVM. The lake query may write meanwhile: whichever of the
two commits second begins anew. The last line of standard output is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from time import perf_counter
from typing import Any, Final

from pyspark.sql import SparkSession

from freshet.delta import UNREADABLE
from freshet.errors import FreshetError, TransientError
from freshet.lake import LAYERS
from freshet.settings import Settings, load_settings
from freshet.telemetry import logs
from freshet.upkeep import lake_files, reports
from spark_jobs.session import spark_session
from spark_jobs.tables import identifier, until_committed

LISTING_TASKS: Final = 8


def plan(settings: Settings, layers: Sequence[str]) -> list[dict[str, Any]]:
    """What there is of each table and what a compaction would do, see `lake_files.standing`."""
    try:
        return [{"table": layer, **lake_files.standing(settings, layer)} for layer in layers]
    except UNREADABLE as error:
        raise TransientError(f"the lake cannot be read: {error}") from error


def compact(spark: SparkSession, settings: Settings, layer: str) -> None:
    """Put a table's small files together, then remove the files that have been no part of it for long enough."""
    target = str(settings.compact_file_mb * 1_000_000)
    spark.conf.set("spark.databricks.delta.optimize.minFileSize", target)
    spark.conf.set("spark.databricks.delta.optimize.maxFileSize", target)
    until_committed(layer, lambda: spark.sql(f"OPTIMIZE {identifier(settings.lake, layer)}").collect())
    remove_expired(spark, settings, layer, settings.compact_keep_hours)


def remove_expired(spark: SparkSession, settings: Settings, layer: str, hours: int) -> None:
    """Remove a table's files that have been no part of it for so long: nobody may be reading or writing for longer."""
    # Delta's own bound is a week; ours is that of the setting.
    spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    # By default the few folders of a table are listed by 10,000 tasks: minutes for nothing.
    spark.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", str(LISTING_TASKS))
    spark.sql(f"VACUUM {identifier(settings.lake, layer)} RETAIN {hours} HOURS").collect()


def run(settings: Settings, layers: Sequence[str], *, apply: bool) -> dict[str, Any]:
    """Compact these tables, or say what that would do. Returns a report by table."""
    began = perf_counter()
    tables = plan(settings, layers)
    there = [table["table"] for table in tables if table["files"]]
    if apply and there:
        spark = spark_session(settings, "freshet-compact")
        seconds = {layer: _timed(spark, settings, layer) for layer in there}
        spark.stop()
        after = {table["table"]: table for table in plan(settings, layers)}
        tables = [
            {**table, "after": after[table["table"]], "seconds": seconds.get(table["table"], 0.0)} for table in tables
        ]
    return {"applied": apply, "tables": tables, "seconds": round(perf_counter() - began, 3)}


def _timed(spark: SparkSession, settings: Settings, layer: str) -> float:
    began = perf_counter()
    compact(spark, settings, layer)
    return round(perf_counter() - began, 3)


def main() -> None:
    """Compact the tables that are named, and print the report."""
    settings = load_settings()
    arguments = argparse.ArgumentParser(prog="python -m spark_jobs.compact", description=__doc__)
    arguments.add_argument("--tables", nargs="+", choices=LAYERS, default=settings.compact_tables)
    doing = arguments.add_mutually_exclusive_group()
    doing.add_argument("--apply", action="store_true", help="do it")
    doing.add_argument("--dry-run", action="store_true", help="only say what would be done; the default")
    arguments.add_argument("--run-id", default="", help="keep the report in Postgres under this run")
    arguments.add_argument("--dag-id", default="compact", help="and under this DAG; default: compact")
    given = arguments.parse_args()
    logs.configure("compact", settings.log_level)
    report = run(settings, given.tables, apply=given.apply)
    if given.run_id:
        reports.keep(settings, given.dag_id, given.run_id, "lake", report)
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
