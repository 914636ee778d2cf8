"""The raw records of a chunk of a replay, from the log or from bronze."""

import json
from collections.abc import Iterable

import structlog
from confluent_kafka import KafkaException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

import freshet.log
from freshet.contract import schemas, topics
from freshet.errors import TransientError
from freshet.log import MAX_RECORD_BYTES
from freshet.settings import Settings
from freshet.upkeep.replay import Chunk, Range
from spark_jobs.transforms.records import bronze

log = structlog.get_logger()


def read_chunk(spark: SparkSession, settings: Settings, chunk: Chunk) -> DataFrame:
    """`schemas.BRONZE` of the chunk's records. What the log has let go of since the plan was made comes from bronze."""
    source = chunk.source
    if source == "log" and not _is_kept(settings, chunk):
        log.warning("the log has let go of records since this was planned; reading bronze", chunk=chunk.name)
        source = "bronze"
    rows = from_log(spark, settings, chunk) if source == "log" else from_bronze(spark, settings, chunk)
    # What lies between scattered records was read as well.
    wanted = spark.createDataFrame(list(chunk.ranges), "partition INT, first BIGINT, last BIGINT")
    places = wanted.select("partition", fn.explode(fn.sequence("first", "last")).alias("offset"))
    return rows.join(fn.broadcast(places), ["partition", "offset"], "left_semi").select(*schemas.names(schemas.BRONZE))


def from_log(spark: SparkSession, settings: Settings, chunk: Chunk) -> DataFrame:
    """Bronze of the log's records from each partition's first to its last offset of the chunk."""
    ends = _ends(chunk.ranges)
    records = (
        spark.read.format("kafka")
        .option("kafka.bootstrap.servers", settings.bootstrap_servers)
        .option("assign", _by_partition(list(ends)))
        .option("startingOffsets", _by_partition({str(number): first for number, (first, _) in ends.items()}))
        .option("endingOffsets", _by_partition({str(number): last + 1 for number, (_, last) in ends.items()}))
        .option("includeHeaders", "true")
        .option("kafka.max.partition.fetch.bytes", str(MAX_RECORD_BYTES))
        # Else one partition of the log is one task.
        .option("minPartitions", str(spark.sparkContext.defaultParallelism))
        .load()
    )
    return bronze(records)


def from_bronze(spark: SparkSession, settings: Settings, chunk: Chunk) -> DataFrame:
    """The lake's own rows from each partition's first to its last offset of the chunk."""
    table = spark.read.format("delta").load(settings.lake.table("bronze"))
    rows = table.where(fn.col("topic") == topics.RAW).where(spanned(chunk.ranges, "partition", "offset"))
    return rows.select(*schemas.names(schemas.BRONZE))


def spanned(ranges: Iterable[Range], partition: str, offset: str) -> str:
    """A condition on two columns by literals, so that Delta skips files: from each partition's first to its last."""
    return " OR ".join(
        f"({partition} = {number} AND {offset} BETWEEN {first} AND {last})"
        for number, (first, last) in _ends(ranges).items()
    )


def _ends(ranges: Iterable[Range]) -> dict[int, tuple[int, int]]:
    ends: dict[int, tuple[int, int]] = {}
    for part in ranges:
        first, last = ends.get(part.partition, (part.first, part.last))
        ends[part.partition] = min(first, part.first), max(last, part.last)
    return ends


def _by_partition(value: object) -> str:
    return json.dumps({topics.RAW: value})


def _is_kept(settings: Settings, chunk: Chunk) -> bool:
    consumer = freshet.log.reader(settings, "freshet-replay")
    try:
        marks = freshet.log.watermarks(consumer, topics.RAW)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return all(part.partition in marks and part.first >= marks[part.partition][0] for part in chunk.ranges)
