"""The lake query: the raw topic, and the producer's dead letters, to the four Delta tables in few, large commits."""

from collections.abc import Callable
from functools import partial
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql.streaming.readwriter import DataStreamWriter

from freshet.contract import topics
from freshet.contract.documents import DocumentRule
from freshet.lake import LakePaths
from freshet.settings import Settings
from spark_jobs.batch import write_batch

QUERY: Final = "lake"

TOPICS: Final = (topics.RAW, topics.REJECTED)

MAX_BATCH_RECORDS: Final = 200_000
"""Bounds the memory of a batch over a backlog: about 3 kB a record are held while it is written, and beyond the heap's
share for that they are on disk. A batch costs some seconds whatever its size."""


def lake_writer(records: DataFrame, settings: Settings) -> DataStreamWriter:
    """The unstarted lake query over records of TOPICS. The caller gives the trigger: every so often, or once."""
    return (
        records.writeStream.queryName(QUERY)
        .foreachBatch(batch_writer(settings.lake, settings.document_rule))
        .option("checkpointLocation", settings.lake.checkpoint(QUERY))
    )


def batch_writer(lake: LakePaths, rule: DocumentRule) -> Callable[[DataFrame, int], None]:
    """What foreachBatch calls."""
    return partial(_write, lake=lake, rule=rule)


def _write(records: DataFrame, batch_id: int, *, lake: LakePaths, rule: DocumentRule) -> None:
    counts = write_batch(records, lake, rule)
    counts.report(batch_id)
