"""Takes out of the lake what was removed: `python -m spark_jobs.forget`.

Silver and gold lose the edits that any removal covers (`freshet.upkeep.removing`), bronze and rejected those that were
removed by hand. Without `--apply` it only counts them. It may be killed anywhere and run again, beside the lake query
and a compaction. The last line of standard output is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from freshet.contract.removals import Kind, Origin, Standing
from freshet.errors import FreshetError
from freshet.settings import Settings, load_settings
from freshet.store import removals, removed
from freshet.store.removed import Found
from freshet.telemetry import logs
from freshet.upkeep import removing, reports
from spark_jobs.checkpoint import checkpointed
from spark_jobs.compact import remove_expired
from spark_jobs.session import spark_session
from spark_jobs.tables import create_tables, delete_matching
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.removals import covered, standing
from spark_jobs.transforms.silver import events

LATE: Final = timedelta(days=1)
"""Bronze is searched again for what reached it so long before the last search: the lake may have been behind."""

_PLACE: Final = ("event_id", "raw_topic", "raw_partition", "raw_offset", "raw_timestamp")
_SEARCHED: Final = (*_PLACE, "event_time", "type", "wiki", "title", "revision_id", "user_name", "reverted_user")
_RECORDS: Final = ("bronze", "rejected")


def find(spark: SparkSession, settings: Settings, by_hand: Sequence[Standing]) -> DataFrame:
    """The records of bronze that removals by hand cover: their places, and by which removal."""
    received = _received(spark, settings, by_hand).select(*_SEARCHED)
    rows = covered(received, standing(spark, by_hand)).select(*_PLACE, "target", "kind", "origin")
    place = fn.concat_ws(":", "raw_topic", "raw_partition", "raw_offset")
    return rows.withColumn("event_id", fn.coalesce("event_id", place))


def count(found: DataFrame, settings: Settings, layer: str) -> int:
    """How many records a table would lose."""
    table = _table(found.sparkSession, settings, layer).alias("t")
    return table.join(_places(found).alias("s"), fn.expr(_condition(found)), "left_semi").count()


def delete(found: DataFrame, settings: Settings, layer: str) -> int:
    """Take them out. Returns how many there were."""
    return delete_matching(_places(found), settings.lake, layer, _condition(found))


def run(
    spark: SparkSession, settings: Settings, *, apply: bool, asked: Sequence[Standing] | None = None
) -> dict[str, Any]:
    """Search for all that stands, or for what is `asked`; count it, or take it out. Returns a report."""
    began, clock = datetime.now(UTC), perf_counter()
    create_tables(spark, settings.lake)
    wanted = removals.standing(settings.conninfo) if asked is None else asked
    found = removing.search(settings, wanted)
    rows = removing.take_out(settings, found) if apply else removing.counted(found)
    records, event_ids = _records(spark, settings, wanted, apply=apply)
    if apply:
        removed.searched(settings.conninfo, wanted, [*removing.ids(found), *event_ids], began, list(Origin))
    report = {"applied": apply, "removals": len(wanted), "rows": rows | records}
    return report | {"seconds": round(perf_counter() - clock, 3)}


def vacuum(spark: SparkSession, settings: Settings) -> None:
    """Remove the files that hold what was taken out long enough ago."""
    removing.vacuum(settings)
    for layer in _RECORDS:
        remove_expired(spark, settings, layer, settings.compact_keep_hours)


def _records(
    spark: SparkSession, settings: Settings, wanted: Sequence[Standing], *, apply: bool
) -> tuple[dict[str, int], list[str]]:
    """How many records bronze and rejected lost, or would lose; and the ids of their events."""
    by_hand = [one for one in wanted if one.origin == Origin.HAND]
    rows = dict.fromkeys(_RECORDS, 0)
    if not by_hand:
        return rows, []
    with checkpointed(find(spark, settings, by_hand), eager=True) as found:
        why = found.groupBy("event_id").agg(fn.min(fn.struct(*Found._fields[1:])).alias("why"))
        noted = [Found(**row.asDict()) for row in why.select("event_id", "why.*").collect()]
        if noted:
            if apply:
                removed.note(settings.conninfo, noted)
            rows = {layer: (delete if apply else count)(found, settings, layer) for layer in _RECORDS}
    return rows, [one.event_id for one in noted]


def _received(spark: SparkSession, settings: Settings, by_hand: Sequence[Standing]) -> DataFrame:
    """Bronze's records with silver's columns, also those that are no events, as far as they have not been searched."""
    records = _table(spark, settings, "bronze")
    searched = [one.lake_at for one in by_hand]
    if None not in searched:
        records = records.where(fn.col("kafka_timestamp") >= fn.lit(min(filter(None, searched)) - LATE))
    return events(parse(records))


def _places(found: DataFrame) -> DataFrame:
    """Each of them once, whatever number of removals cover it."""
    return found.dropDuplicates(["raw_topic", "raw_partition", "raw_offset", "raw_timestamp"])


def _condition(found: DataFrame) -> str:
    """When a row `t` of the table is a record `s` of those found, bounded by literals."""
    ends = (end("raw_timestamp").cast("string").alias(name) for name, end in (("first", fn.min), ("last", fn.max)))
    (span,) = found.agg(*ends).collect()
    place = "t.topic = s.raw_topic AND t.partition = s.raw_partition AND t.offset = s.raw_offset"
    # offsets begin again when a broker is made anew
    same = f"{place} AND t.kafka_timestamp = s.raw_timestamp"
    return f"{same} AND t.kafka_timestamp BETWEEN TIMESTAMP '{span['first']}' AND TIMESTAMP '{span['last']}'"


def _table(spark: SparkSession, settings: Settings, layer: str) -> DataFrame:
    return spark.read.format("delta").load(settings.lake.table(layer))


def asked_for(text: str) -> list[Standing]:
    """KIND:SHA256 between commas, as if they were removed by hand now. Raises ValueError."""
    parts = [part.partition(":") for part in text.split(",") if part]
    return [Standing(target, Kind(kind), Origin.HAND, datetime.now(UTC)) for kind, _, target in parts]


def main() -> None:
    """Search the lake, and print the report."""
    arguments = argparse.ArgumentParser(prog="python -m spark_jobs.forget", description=__doc__)
    doing = arguments.add_mutually_exclusive_group()
    doing.add_argument("--apply", action="store_true", help="take it out; otherwise it is only counted")
    doing.add_argument("--dry-run", action="store_true", help="only count it; the default")
    arguments.add_argument("--targets", default=[], type=asked_for, help="count these instead: KIND:SHA256,...")
    arguments.add_argument("--run-id", default="", help="keep the report in Postgres under this run")
    arguments.add_argument("--dag-id", default="forget", help="and under this DAG; default: forget")
    given = arguments.parse_args()
    if given.apply and given.targets:
        arguments.error("what is to be taken out is in the register: targets are only counted")
    settings = load_settings()
    logs.configure("forget", settings.log_level)
    spark = spark_session(settings, "freshet-forget")
    report = run(spark, settings, apply=given.apply, asked=given.targets or None)
    if given.apply:
        vacuum(spark, settings)
    spark.stop()
    if given.run_id:
        reports.keep(settings, given.dag_id, given.run_id, "lake", report)
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
