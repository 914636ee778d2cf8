"""Rows that cannot be used, with their reason and their original bytes."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics
from freshet.contract.rejections import Stage
from spark_jobs.transforms.parse import CANARY, VALID
from spark_jobs.transforms.records import UNKNOWN_SOURCE, header, header_time


def is_rejected() -> Column:
    """Whether `verdict` is a Reason."""
    return ~fn.col("verdict").isin(VALID, CANARY)


def rejected(events: DataFrame) -> DataFrame:
    """`schemas.REJECTED` of the rows of `silver.events` whose verdict is a Reason."""
    rows = events.where(is_rejected()).select(
        fn.col("raw_topic").alias("topic"),
        fn.col("raw_partition").alias("partition"),
        fn.col("raw_offset").alias("offset"),
        fn.col("raw_timestamp").alias("kafka_timestamp"),
        fn.lit(Stage.TRANSFORM.value).alias("stage"),
        fn.col("verdict").alias("reason"),
        "error",
        fn.col("value").alias("payload"),
        "received_at",
        "source",
    )
    return rows.select(*schemas.names(schemas.REJECTED))


def dead_letters(records: DataFrame) -> DataFrame:
    """`schemas.REJECTED` of the producer's own records in the dead letter topic, keyed by their place there.

    The transform's records are left out: whoever writes the lake makes those rows from the raw topic itself.
    """
    rows = records.where(header(topics.STAGE) == Stage.PRODUCER.value).select(
        "topic",
        "partition",
        "offset",
        fn.col("timestamp").alias("kafka_timestamp"),
        header(topics.STAGE).alias("stage"),
        header(topics.REASON).alias("reason"),
        header(topics.ERROR).alias("error"),
        fn.col("value").alias("payload"),
        fn.coalesce(header_time(topics.RECEIVED_AT), "timestamp").alias("received_at"),
        fn.coalesce(header(topics.SOURCE), fn.lit(UNKNOWN_SOURCE)).alias("source"),
    )
    return rows.select(*schemas.names(schemas.REJECTED))
