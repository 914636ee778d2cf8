"""Reading the log as a stream."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession

from freshet.log import MAX_RECORD_BYTES
from freshet.settings import Settings


def read_stream(
    spark: SparkSession, settings: Settings, topics: Sequence[str], max_records: int | None = None
) -> DataFrame:
    """Records of the topics from their earliest kept offset on, with headers; at most `max_records` a micro-batch.

    Records that the log dropped before they were read do not stop the stream; the listener reports them as lost.
    """
    reader = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.bootstrap_servers)
        .option("subscribe", ",".join(topics))
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", "false")
        .option("includeHeaders", "true")
        .option("kafka.max.partition.fetch.bytes", str(MAX_RECORD_BYTES))
    )
    return (reader if max_records is None else reader.option("maxOffsetsPerTrigger", max_records)).load()
