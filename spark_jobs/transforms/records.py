"""Kafka records -> bronze, and the headers of a record."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics

UNKNOWN_SOURCE = "unknown"
"""The `source` of a record whose producer did not say."""

# 9999-12-31 in ms: a header beyond it is no time, and beyond what Python's datetime can hold.
_LAST_MS = 253_402_300_799_999


def header(name: str) -> Column:
    """The first header of that name as text, invalid UTF-8 mended; null when absent. Needs the column `headers`."""
    # Not a filter() with a lambda: Spark does not compile those, nor then the rest of the projection they stand in.
    position = fn.array_position("headers.key", name).cast("int")
    return fn.make_valid_utf8(fn.get("headers.value", position - 1).cast("string"))


def header_time(name: str) -> Column:
    """A header of milliseconds since the epoch as a timestamp; null when absent or not such a number."""
    ms = header(name).try_cast("bigint")
    return fn.when(ms.between(0, _LAST_MS), fn.timestamp_millis(ms))


def bronze(records: DataFrame) -> DataFrame:
    """`schemas.BRONZE` of Kafka records read with `includeHeaders`.

    A record without `received-at` is taken as received when the broker stamped it; one without `source` is `unknown`.
    """
    rows = records.select(
        "topic",
        "partition",
        "offset",
        fn.col("timestamp").alias("kafka_timestamp"),
        fn.make_valid_utf8(fn.col("key").cast("string")).alias("key"),
        "value",
        header(topics.SSE_ID).alias("sse_id"),
        fn.coalesce(header_time(topics.RECEIVED_AT), "timestamp").alias("received_at"),
        fn.coalesce(header(topics.SOURCE), fn.lit(UNKNOWN_SOURCE)).alias("source"),
        fn.to_date("timestamp").alias("ingest_date"),
    )
    return rows.select(*schemas.names(schemas.BRONZE))


def bronze_again(events: DataFrame) -> DataFrame:
    """`schemas.BRONZE` of rows of `silver.events`, which carry all of it."""
    rows = events.withColumnsRenamed(
        {"raw_topic": "topic", "raw_partition": "partition", "raw_offset": "offset", "raw_timestamp": "kafka_timestamp"}
    )
    return rows.withColumn("ingest_date", fn.to_date("kafka_timestamp")).select(*schemas.names(schemas.BRONZE))
