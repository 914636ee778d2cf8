"""Rows -> records of the topics: what a row of each layer looks like on the log."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics
from freshet.contract.documents import DocumentRule
from freshet.contract.rejections import Stage
from freshet.log import MAX_RECORD_BYTES
from spark_jobs.transforms.gold import admitted, documents
from spark_jobs.transforms.parse import VALID
from spark_jobs.transforms.rejected import is_rejected
from spark_jobs.transforms.removals import is_removal, removal

# Headers come on top: the few payloads near the broker's bound are cut in the dead letter; their raw record is whole.
_MAX_PAYLOAD_BYTES: Final = MAX_RECORD_BYTES - 64 * 1024
JSON: Final = {"timestampFormat": schemas.TIMESTAMP_FORMAT, "timeZone": "UTC", "ignoreNullFields": "false"}
"""Spark's options for the JSON of a row."""


def json_row(fields: tuple[schemas.Field, ...]) -> Column:
    """A row of a layer as JSON text: every column is there, in the schema's order, null when it is null."""
    return fn.to_json(fn.struct(*schemas.names(fields)), JSON)


def messages(events: DataFrame, rule: DocumentRule) -> DataFrame:
    """`topic`, `key`, `value`, `headers` of every record that the rows of `silver.events` give; canaries give none."""
    rows = documents(events)
    valid = fn.col("verdict") == VALID
    outputs = fn.array(
        fn.when(valid, _record(topics.SILVER, json_row(schemas.SILVER).cast("binary"))),
        fn.when(valid & admitted(rule), _record(topics.GOLD, json_row(schemas.GOLD).cast("binary"))),
        fn.when(valid & is_removal(), _record(topics.GOLD, _removal())),
        fn.when(is_rejected(), _record(topics.REJECTED, fn.substring("value", 1, _MAX_PAYLOAD_BYTES), _dead_letter())),
    )
    return rows.select(fn.inline(fn.array_compact(outputs)))


def document_messages(changes: DataFrame) -> DataFrame:
    """`topic`, `key`, `value`, `headers` of documents that a replay changed.

    Needs `key`, the key of their raw records, and `old` and `new`: structs of gold's columns, null where there is none.
    """
    value = fn.when(fn.col("new").isNull(), _deletion("old", "doc_id")).otherwise(fn.to_json("new", JSON))
    return changes.select(fn.inline(fn.array(_record(topics.GOLD, value.cast("binary")))))


def absence_messages(events: DataFrame) -> DataFrame:
    """`topic`, `key`, `value`, `headers` that take off the index what is no document.

    Needs `key`, the key of their raw records, and `new`: a struct of silver's columns.
    """
    return events.select(fn.inline(fn.array(_record(topics.GOLD, _deletion("new", "event_id").cast("binary")))))


def removal_messages(events: DataFrame) -> DataFrame:
    """`topic`, `key`, `value`, `headers` of the removals among the rows of `silver.events`."""
    rows = events.where((fn.col("verdict") == VALID) & is_removal())
    return rows.select(fn.inline(fn.array(_record(topics.GOLD, _removal()))))


def _removal() -> Column:
    return fn.to_json(removal(), JSON).cast("binary")


def _deletion(row: str, key: str) -> Column:
    """`schemas.DELETION` as JSON, of the document that has or would have this row's key."""
    gone = {
        "doc_id": fn.col(f"{row}.{key}"),
        "deleted": fn.lit(True),
        **{name: fn.col(f"{row}.{name}") for name in ("raw_topic", "raw_partition", "raw_offset")},
        "transform_version": fn.lit(schemas.TRANSFORM_VERSION),
    }
    return fn.to_json(fn.struct(*(gone[name].alias(name) for name in schemas.names(schemas.DELETION))), JSON)


def _record(topic: str, value: Column, headers: Column | None = None) -> Column:
    return fn.struct(
        fn.lit(topic).alias("topic"),
        fn.col("key").cast("binary").alias("key"),
        value.alias("value"),
        (fn.lit(None) if headers is None else headers)
        .cast("array<struct<key: string, value: binary>>")
        .alias("headers"),
    )


def _dead_letter() -> Column:
    """The headers of a dead letter that came from the log."""
    values = {
        topics.REASON: fn.col("verdict"),
        topics.STAGE: fn.lit(Stage.TRANSFORM.value),
        topics.ERROR: fn.col("error"),
        topics.RECEIVED_AT: fn.unix_millis("received_at").cast("string"),
        topics.SOURCE: fn.col("source"),
        topics.RAW_TOPIC: fn.col("raw_topic"),
        topics.RAW_PARTITION: fn.col("raw_partition").cast("string"),
        topics.RAW_OFFSET: fn.col("raw_offset").cast("string"),
    }
    pairs = (fn.struct(fn.lit(key).alias("key"), value.cast("binary").alias("value")) for key, value in values.items())
    return fn.array(*pairs)
