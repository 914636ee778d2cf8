"""What the transforms make of raw records now, compared with what the lake holds of the same records."""

from dataclasses import dataclass
from typing import Final

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics
from freshet.contract.documents import DocumentRule
from freshet.lake import LakePaths
from freshet.upkeep.replay import Chunk
from spark_jobs.chunk import spanned
from spark_jobs.transforms.gold import gold
from spark_jobs.transforms.parse import VALID
from spark_jobs.transforms.rejected import rejected

INSERTED: Final = "inserted"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
DELETED: Final = "deleted"
ACTIONS: Final = (INSERTED, CHANGED, UNCHANGED, DELETED)

# It says who made a row, not what the row is: one that another version makes alike is left as it is.
_NOT_COMPARED: Final = "transform_version"


@dataclass(frozen=True)
class Layer:
    """A layer that a replay changes: its key, and the columns that say which raw record a row was made from."""

    name: str
    fields: tuple[schemas.Field, ...]
    key: tuple[str, ...]
    place: tuple[str, str, str]


_RAW: Final = ("raw_topic", "raw_partition", "raw_offset")
SILVER: Final = Layer("silver", schemas.SILVER, ("event_id",), _RAW)
GOLD: Final = Layer("gold", schemas.GOLD, ("doc_id",), _RAW)
REJECTED: Final = Layer("rejected", schemas.REJECTED, *[("topic", "partition", "offset")] * 2)
LAYERS: Final = (REJECTED, SILVER, GOLD)


def compare(
    parsed: DataFrame, chunk: Chunk, lake: LakePaths, rule: DocumentRule, *, whole: bool = False
) -> dict[Layer, DataFrame]:
    """`changes` by layer. `parsed` are rows of `silver.events` of the chunk's records.

    With `whole` events and documents are there also where they are unchanged.
    """
    held = {layer: stored(parsed, chunk, lake, layer) for layer in LAYERS}
    kept = first_copies(parsed, _same_events(parsed, held[SILVER], lake))
    made = {REJECTED: rejected(parsed), SILVER: kept, GOLD: gold(kept, rule)}
    return {layer: changes(held[layer], made[layer], layer, whole and layer is not REJECTED) for layer in LAYERS}


def stored(parsed: DataFrame, chunk: Chunk, lake: LakePaths, layer: Layer) -> DataFrame:
    """The layer's rows that were made from the records that were read; not of those that could not be."""
    topic, *place = layer.place
    table = parsed.sparkSession.read.format("delta").load(lake.table(layer.name))
    rows = table.where(fn.col(topic) == topics.RAW).where(spanned(chunk.ranges, *place))
    read = parsed.select(*(fn.col(raw).alias(column) for raw, column in zip(_RAW, layer.place, strict=True)))
    return rows.join(read, list(layer.place), "left_semi").select(*schemas.names(layer.fields))


def first_copies(parsed: DataFrame, in_silver: DataFrame) -> DataFrame:
    """`schemas.SILVER` of the valid rows, one an event: the copy that silver has, as long as it is valid.

    An event that silver has from a record elsewhere is left to that record. Where silver's copy is no longer valid, or
    there is none, it is the first in the log. `in_silver` are `event_id`, `raw_topic`, `raw_partition`, `raw_offset`.
    """
    place = fn.struct("raw_partition", "raw_offset")
    here = parsed.select(place.alias("holder"), fn.lit(True).alias("here"))
    held = in_silver.select("event_id", place.alias("holder")).join(here, "holder", "left")
    valid = parsed.where(fn.col("verdict") == VALID).select(*schemas.names(schemas.SILVER))
    ours = valid.join(held, "event_id", "left").where(fn.col("holder").isNull() | fn.col("here"))
    best = Window.partitionBy("event_id").orderBy(fn.coalesce(place == fn.col("holder"), fn.lit(False)).desc(), place)
    first = ours.withColumn("rank", fn.row_number().over(best)).where(fn.col("rank") == 1)
    return first.select(*schemas.names(schemas.SILVER))


def changes(held: DataFrame, made: DataFrame, layer: Layer, whole: bool = False) -> DataFrame:
    """The key, `action` (one of ACTIONS), and `old` and `new`: structs of the row, null where there is none.

    Of an unchanged row both are null, unless it is wanted `whole`.
    """
    columns = schemas.names(layer.fields)
    before = held.select(*layer.key, fn.struct(*columns).alias("old"))
    after = made.select(*layer.key, fn.struct(*columns).alias("new"))
    old, new = fn.col("old"), fn.col("new")
    compared = [column for column in columns if column != _NOT_COMPARED]
    same = fn.struct(*(old[column] for column in compared)).eqNullSafe(fn.struct(*(new[column] for column in compared)))
    action = fn.when(old.isNull(), INSERTED).when(new.isNull(), DELETED).when(same, UNCHANGED).otherwise(CHANGED)
    # A row without its key is left alone: no merge could find it.
    keyed = before.join(after, list(layer.key), "full_outer").where(fn.col(layer.key[0]).isNotNull())
    joined = keyed.withColumn("action", action)
    differs = fn.lit(whole) | (fn.col("action") != UNCHANGED)
    return joined.select(*layer.key, "action", fn.when(differs, old).alias("old"), fn.when(differs, new).alias("new"))


def counts(found: DataFrame) -> dict[str, int]:
    """Rows by action."""
    rows = {row["action"]: row["count"] for row in found.groupBy("action").count().collect()}
    return {action: rows.get(action, 0) for action in ACTIONS}


def merge_condition(found: DataFrame, layer: Layer, chunk: Chunk) -> str:
    """When a row `t` of the table is the row `s` of the changes, bounded by literals."""
    keys = " AND ".join(f"t.{column} = s.{column}" for column in layer.key)
    if layer is REJECTED:
        return f"{keys} AND ({spanned(chunk.ranges, 't.partition', 't.offset')})"
    times = found.selectExpr("inline(array(old, new))").where("event_time IS NOT NULL")
    return f"{keys} AND {_between(_span(times), 't.event_time')}"


def _same_events(parsed: DataFrame, held: DataFrame, lake: LakePaths) -> DataFrame:
    """Silver's rows of the events that the records are of, wherever silver has them from.

    Looked for within a day of the times that the events have now and had before: a new logic may have moved them.
    """
    valid = parsed.where(fn.col("verdict") == VALID)
    span = _span(valid.select("event_time").union(held.select("event_time")))
    table = parsed.sparkSession.read.format("delta").load(lake.table("silver"))
    near = table.where(_between(span, "event_time", "INTERVAL 1 DAY"))
    return near.join(valid.select("event_id"), "event_id", "left_semi").select("event_id", *_RAW)


def _span(rows: DataFrame) -> Row:
    ends = rows.agg(
        fn.min("event_time").cast("string").alias("first"), fn.max("event_time").cast("string").alias("last")
    )
    return ends.collect()[0]


def _between(span: Row, column: str, margin: str = "INTERVAL 0 DAY") -> str:
    if span["first"] is None:
        return "false"
    first, last = f"TIMESTAMP '{span['first']}' - {margin}", f"TIMESTAMP '{span['last']}' + {margin}"
    return f"{column} BETWEEN {first} AND {last}"
