"""One batch of records into the four tables. Every write inserts only what is missing, so a repeat adds nothing."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics
from freshet.contract.documents import DocumentRule
from freshet.lake import LakePaths
from spark_jobs.batch_counts import BatchCounts
from spark_jobs.tables import insert_new
from spark_jobs.transforms.gold import admitted, gold
from spark_jobs.transforms.parse import CANARY, VALID, parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.rejected import dead_letters, is_rejected, rejected
from spark_jobs.transforms.silver import events

Insert = Callable[[DataFrame, LakePaths, str, str], int]

_SILVER: Final = schemas.names(schemas.SILVER)


def write_batch(records: DataFrame, lake: LakePaths, rule: DocumentRule, insert: Insert = insert_new) -> BatchCounts:
    """Write Kafka records of the raw topic and of the dead letter topic. Returns what became of them.

    Killed anywhere, the same batch again ends the same: no write depends on another's having been done before.
    """
    raw = bronze(records.where(fn.col("topic") == topics.RAW))
    letters = dead_letters(records.where(fn.col("topic") == topics.REJECTED))
    parsed = _first_of_each_event(_lean(events(parse(raw)))).persist(StorageLevel.MEMORY_AND_DISK)
    letters = letters.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        summary = _summary(parsed, rule)
        letter_places = _places(letters.groupBy("topic", "partition"), "offset")
        with ThreadPoolExecutor(max_workers=3) as pool:
            in_bronze = pool.submit(_insert_places, raw, _raw_places(summary), lake, "bronze", insert)
            in_rejected = pool.submit(_insert_rejected, parsed, letters, summary, letter_places, lake, insert)
            in_silver = pool.submit(_insert_events, parsed, summary, lake, rule, insert)
            bronze_rows, rejected_rows = in_bronze.result(), in_rejected.result()
            silver_rows, gold_rows, duplicates = in_silver.result()
    finally:
        parsed.unpersist()
        letters.unpersist()
    return BatchCounts(
        rows=sum(row["rows"] for row in summary),
        canaries=sum(row["rows"] for row in summary if row["verdict"] == CANARY),
        rejected=_by_reason(summary),
        dead_letters=sum(row["rows"] for row in letter_places),
        duplicates=duplicates,
        inserted={"bronze": bronze_rows, "silver": silver_rows, "gold": gold_rows, "rejected": rejected_rows},
    )


def _lean(rows: DataFrame) -> DataFrame:
    """Without the payloads of the rows that are not rejected: they are most of the memory."""
    return rows.withColumn("value", fn.when(is_rejected(), fn.col("value"))).drop("key")


def _first_of_each_event(rows: DataFrame) -> DataFrame:
    """With `first`: whether a row is the one of its event that was logged first, by (partition, offset)."""
    order = Window.partitionBy("verdict", "event_id").orderBy("raw_partition", "raw_offset")
    return rows.withColumn("first", fn.row_number().over(order) == 1)


def _summary(parsed: DataFrame, rule: DocumentRule) -> list[Row]:
    """Rows by verdict and place, with the ranges that the writes are pruned by."""
    kept = fn.col("first") & (fn.col("verdict") == VALID)
    return _places(
        parsed.groupBy("verdict", fn.col("raw_topic").alias("topic"), fn.col("raw_partition").alias("partition")),
        "raw_offset",
        fn.count_if(kept).alias("kept"),
        fn.count_if(kept & admitted(rule)).alias("documents"),
        fn.min("event_time").cast("string").alias("earliest"),
        fn.max("event_time").cast("string").alias("latest"),
    )


def _places(grouped: Any, offset: str, *more: Any) -> list[Row]:
    first, last = fn.min(offset).alias("first_offset"), fn.max(offset).alias("last_offset")
    return list(grouped.agg(fn.count("*").alias("rows"), first, last, *more).collect())


def _raw_places(summary: Iterable[Row]) -> list[dict[str, Any]]:
    """The range of offsets of each partition, over all verdicts."""
    ranges: dict[tuple[str, int], dict[str, Any]] = {}
    for row in summary:
        place = ranges.setdefault((row["topic"], row["partition"]), row.asDict())
        place["first_offset"] = min(place["first_offset"], row["first_offset"])
        place["last_offset"] = max(place["last_offset"], row["last_offset"])
    return list(ranges.values())


def _insert_places(rows: DataFrame, places: Iterable[Any], lake: LakePaths, layer: str, insert: Insert) -> int:
    """Insert rows keyed by (topic, partition, offset), looking only at the table's files that hold these ranges."""
    ranges = " OR ".join(
        f"(t.topic = '{place['topic']}' AND t.partition = {place['partition']}"
        f" AND t.offset BETWEEN {place['first_offset']} AND {place['last_offset']})"
        for place in places
    )
    if not ranges:
        return 0
    key = "t.topic = s.topic AND t.partition = s.partition AND t.offset = s.offset"
    return insert(rows, lake, layer, f"{key} AND ({ranges})")


def _insert_rejected(
    parsed: DataFrame, letters: DataFrame, summary: list[Row], letter_places: list[Row], lake: LakePaths, insert: Insert
) -> int:
    bad = [row for row in summary if row["verdict"] not in (VALID, CANARY)]
    ours = _insert_places(rejected(parsed), _raw_places(bad), lake, "rejected", insert)
    return ours + _insert_places(letters, letter_places, lake, "rejected", insert)


def _insert_events(
    parsed: DataFrame, summary: list[Row], lake: LakePaths, rule: DocumentRule, insert: Insert
) -> tuple[int, int, int]:
    """Insert silver, and gold of the rows that are in silver. Returns both counts and the duplicates."""
    valid = [row for row in summary if row["verdict"] == VALID]
    if not valid:
        return 0, 0, 0
    earliest, latest = min(row["earliest"] for row in valid), max(row["latest"] for row in valid)
    span = f"t.event_time BETWEEN TIMESTAMP '{earliest}' AND TIMESTAMP '{latest}'"
    kept = parsed.where((fn.col("verdict") == VALID) & fn.col("first")).select(*_SILVER)
    silver_rows = insert(kept, lake, "silver", f"t.event_id = s.event_id AND {span}")
    rows, kept_rows = sum(row["rows"] for row in valid), sum(row["kept"] for row in valid)
    if silver_rows < kept_rows:
        # Some events were there: from an earlier batch (duplicates), or from a run of this batch that was cut off.
        kept = _already_in_silver(kept, lake, span)
        kept_rows = kept.count()
    documents = sum(row["documents"] for row in valid)
    gold_rows = insert(gold(kept, rule), lake, "gold", f"t.doc_id = s.doc_id AND {span}") if documents else 0
    return silver_rows, gold_rows, rows - kept_rows


def _already_in_silver(kept: DataFrame, lake: LakePaths, span: str) -> DataFrame:
    """The rows that are silver's own: the same event from the same place of the log."""
    key = ["event_id", "raw_topic", "raw_partition", "raw_offset"]
    table = kept.sparkSession.read.format("delta").load(lake.table("silver")).alias("t").where(span)
    return kept.join(table.select(*key), key, "left_semi").select(*_SILVER)


def _by_reason(summary: Iterable[Row]) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for row in summary:
        if row["verdict"] not in (VALID, CANARY):
            reasons[row["verdict"]] = reasons.get(row["verdict"], 0) + row["rows"]
    return reasons
