"""One batch of records into the four tables. Every write inserts only what is missing, so a repeat adds nothing."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics
from freshet.contract.documents import DocumentRule
from freshet.lake import LakePaths
from spark_jobs.batch_counts import BatchCounts
from spark_jobs.checkpoint import checkpointed
from spark_jobs.tables import insert_new
from spark_jobs.transforms.gold import admitted, gold
from spark_jobs.transforms.parse import CANARY, VALID, parse
from spark_jobs.transforms.records import bronze, bronze_again
from spark_jobs.transforms.rejected import dead_letters, rejected
from spark_jobs.transforms.silver import events

Insert = Callable[[DataFrame, LakePaths, str, str], int]

_DEAD_LETTER: Final = "dead_letter"
_SILVER: Final = schemas.names(schemas.SILVER)


def write_batch(records: DataFrame, lake: LakePaths, rule: DocumentRule, insert: Insert = insert_new) -> BatchCounts:
    """Write Kafka records of the raw topic and of the dead letter topic. Returns what became of them.

    Killed anywhere, the same batch again ends the same: no write depends on another's having been done before.
    """
    # One task a core, not one a partition: Spark generates the code of the transforms anew in each.
    few = records.coalesce(records.sparkSession.sparkContext.defaultParallelism)
    # Analysing the transforms again for each of the writes took longer than the writes.
    with checkpointed(_apart(events(parse(bronze(few))))) as parsed:
        return _write(parsed, records, lake, rule, insert)


def _write(parsed: DataFrame, records: DataFrame, lake: LakePaths, rule: DocumentRule, insert: Insert) -> BatchCounts:
    summary = _summary(parsed, rule)
    with ThreadPoolExecutor(max_workers=3) as pool:
        in_bronze = pool.submit(_insert_bronze, parsed, summary, lake, insert)
        in_rejected = pool.submit(_insert_rejected, parsed, records, summary, lake, insert)
        in_silver = pool.submit(_insert_events, parsed, summary, lake, rule, insert)
        bronze_rows, rejected_rows = in_bronze.result(), in_rejected.result()
        silver_rows, gold_rows, duplicates = in_silver.result()
    return BatchCounts(
        rows=sum(row["rows"] for row in summary if row["topic"] == topics.RAW),
        canaries=sum(row["rows"] for row in summary if row["verdict"] == CANARY),
        rejected=_by_reason(summary),
        dead_letters=sum(row["rows"] for row in summary if row["verdict"] == _DEAD_LETTER),
        duplicates=duplicates,
        inserted={"bronze": bronze_rows, "silver": silver_rows, "gold": gold_rows, "rejected": rejected_rows},
    )


def _apart(rows: DataFrame) -> DataFrame:
    """The records of the dead letter topic under verdicts of their own: they are no events."""
    verdict = fn.when(fn.col("raw_topic") == topics.RAW, fn.col("verdict")).otherwise(_DEAD_LETTER)
    return rows.withColumn("verdict", verdict)


def _summary(parsed: DataFrame, rule: DocumentRule) -> list[Row]:
    """Rows by verdict and place, with the ranges that the writes are pruned by."""
    place = (fn.col("raw_topic").alias("topic"), fn.col("raw_partition").alias("partition"))
    counted = parsed.groupBy("verdict", *place).agg(
        fn.count("*").alias("rows"),
        fn.min("raw_offset").alias("first_offset"),
        fn.max("raw_offset").alias("last_offset"),
        fn.count_if((fn.col("verdict") == VALID) & admitted(rule)).alias("documents"),
        fn.min("event_time").cast("string").alias("earliest"),
        fn.max("event_time").cast("string").alias("latest"),
    )
    return counted.collect()


def _places(rows: Iterable[Row]) -> dict[tuple[str, int], tuple[int, int]]:
    """First and last offset by topic and partition, over all verdicts."""
    places: dict[tuple[str, int], tuple[int, int]] = {}
    for row in rows:
        first, last = places.get((row["topic"], row["partition"]), (row["first_offset"], row["last_offset"]))
        span = min(first, row["first_offset"]), max(last, row["last_offset"])
        places[row["topic"], row["partition"]] = span
    return places


def _insert_places(
    rows: DataFrame, places: dict[tuple[str, int], tuple[int, int]], lake: LakePaths, layer: str, insert: Insert
) -> int:
    """Insert rows keyed by (topic, partition, offset), looking only at the table's files that hold these ranges."""
    if not places:
        return 0
    ranges = " OR ".join(
        f"(t.topic = '{topic}' AND t.partition = {partition} AND t.offset BETWEEN {first} AND {last})"
        for (topic, partition), (first, last) in places.items()
    )
    key = "t.topic = s.topic AND t.partition = s.partition AND t.offset = s.offset"
    return insert(rows, lake, layer, f"{key} AND ({ranges})")


def _insert_bronze(parsed: DataFrame, summary: list[Row], lake: LakePaths, insert: Insert) -> int:
    rows = bronze_again(parsed.where(fn.col("raw_topic") == topics.RAW))
    return _insert_places(rows, _places(row for row in summary if row["topic"] == topics.RAW), lake, "bronze", insert)


def _insert_rejected(parsed: DataFrame, records: DataFrame, summary: list[Row], lake: LakePaths, insert: Insert) -> int:
    bad = [row for row in summary if row["verdict"] not in (VALID, CANARY, _DEAD_LETTER)]
    rows = rejected(parsed.where(fn.col("verdict") != _DEAD_LETTER))
    ours = _insert_places(rows, _places(bad), lake, "rejected", insert)
    letters = [row for row in summary if row["verdict"] == _DEAD_LETTER]
    theirs = dead_letters(records.where(fn.col("topic") == topics.REJECTED))
    return ours + _insert_places(theirs, _places(letters), lake, "rejected", insert)


def _insert_events(
    parsed: DataFrame, summary: list[Row], lake: LakePaths, rule: DocumentRule, insert: Insert
) -> tuple[int, int, int]:
    """Insert silver, and gold of the rows that are in silver. Returns both counts and the duplicates."""
    valid = [row for row in summary if row["verdict"] == VALID]
    if not valid:
        return 0, 0, 0
    earliest, latest = min(row["earliest"] for row in valid), max(row["latest"] for row in valid)
    span = f"t.event_time BETWEEN TIMESTAMP '{earliest}' AND TIMESTAMP '{latest}'"
    kept, repeats = _first_of_each_event(parsed.where(fn.col("verdict") == VALID).select(*_SILVER))
    silver_rows = insert(kept, lake, "silver", f"t.event_id = s.event_id AND {span}")
    rows = sum(row["rows"] for row in valid)
    kept_rows = rows - repeats
    if silver_rows < kept_rows:
        # Some events were there: from an earlier batch (duplicates), or from a run of this batch that was cut off.
        kept = _already_in_silver(kept, lake, span)
        kept_rows = kept.count()
    documents = sum(row["documents"] for row in valid)
    gold_rows = insert(gold(kept, rule), lake, "gold", f"t.doc_id = s.doc_id AND {span}") if documents else 0
    return silver_rows, gold_rows, rows - kept_rows


def _first_of_each_event(rows: DataFrame) -> tuple[DataFrame, int]:
    """The rows without those whose event was logged before, by (partition, offset); and how many those are."""
    place = fn.struct("raw_partition", "raw_offset")
    counted = rows.groupBy("event_id").agg(fn.count("*").alias("copies"), fn.min(place).alias("first"))
    # Few or none, so that the rows themselves need not be shuffled to find them.
    repeated = counted.where(fn.col("copies") > 1)
    copies = [row["copies"] for row in repeated.select("copies").collect()]
    if not copies:
        return rows, 0
    firsts = rows.join(fn.broadcast(repeated), "event_id", "left").where(
        fn.col("first").isNull() | (fn.col("first") == place)
    )
    return firsts.select(*rows.columns), sum(copies) - len(copies)


def _already_in_silver(kept: DataFrame, lake: LakePaths, span: str) -> DataFrame:
    """The rows that are silver's own: the same event from the same place of the log."""
    key = ["event_id", "raw_topic", "raw_partition", "raw_offset"]
    table = kept.sparkSession.read.format("delta").load(lake.table("silver")).alias("t").where(span)
    return kept.join(table.select(*key), key, "left_semi").select(*_SILVER)


def _by_reason(summary: Iterable[Row]) -> dict[str, int]:
    reasons: dict[str, int] = {}
    for row in summary:
        if row["verdict"] not in (VALID, CANARY, _DEAD_LETTER):
            reasons[row["verdict"]] = reasons.get(row["verdict"], 0) + row["rows"]
    return reasons
