"""The Spark application: the serve and lake queries, both in one session or each in its own.

Run as `python -m spark_jobs.stream [serve|lake]`. Ends with 1 when a query dies or the clock is set back, so that
whoever supervises it starts it again from the checkpoints.
"""

import argparse
import re
import signal
import sys
from collections.abc import Collection
from threading import Event
from typing import Final

import structlog
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

import freshet.log
from freshet.contract import topics
from freshet.errors import ConfigError, FreshetError
from freshet.lake import LakePaths
from freshet.settings import PREFIX, Settings, load_settings
from freshet.spark import CORES
from freshet.telemetry import logs, metrics
from freshet.telemetry.serve import serve_metrics
from freshet.upkeep import checkpoints, damage
from spark_jobs import jvm, lake, serve
from spark_jobs.clock import Clock
from spark_jobs.listener import ProgressListener
from spark_jobs.session import spark_session
from spark_jobs.source import read_stream
from spark_jobs.tables import create_tables

log = structlog.get_logger()

QUERIES: Final = (serve.QUERY, lake.QUERY)

POLL_S: Final = 0.5
"""How soon a query that ended is noticed."""


def start(spark: SparkSession, settings: Settings, names: Collection[str] = QUERIES) -> list[StreamingQuery]:
    """Start the queries of these names and return them. When one cannot start, the log names the damage of the lake."""
    for name in names:
        mend_checkpoint(settings.lake, name)
    try:
        return _start(spark, settings, names)
    except (Py4JError, PySparkException):
        name_damage(settings.lake)
        raise


def _start(spark: SparkSession, settings: Settings, names: Collection[str]) -> list[StreamingQuery]:
    queries = []
    if serve.QUERY in names:
        realtime = settings.serve_mode == "realtime"
        raw = read_stream(spark, settings, [topics.RAW], None if realtime else serve.MAX_MICROBATCH_RECORDS)
        queries.append(serve.serve_writer(raw, settings).start())
    if lake.QUERY in names:
        create_tables(spark, settings.lake)
        everything = read_stream(spark, settings, lake.TOPICS, lake.MAX_BATCH_RECORDS)
        interval = f"{settings.lake_interval_s} seconds"
        queries.append(lake.lake_writer(everything, settings).trigger(processingTime=interval).start())
    return queries


def mend_checkpoint(lake_paths: LakePaths, query: str) -> None:
    """Put aside what a crash has torn of a query's checkpoint, and say so. Writes to object storage are whole or none.

    Raises PermanentError when the query cannot go on from it.
    """
    root = lake_paths.folder
    if root is None:
        return
    gone = checkpoints.mend(root / "checkpoints" / query)
    if gone:
        log.warning(
            "the checkpoint was torn: the query goes on behind its last whole batch and repeats what came after",
            query=query,
            put_aside=[str(path) for path in gone],
        )


def name_damage(lake_paths: LakePaths) -> None:
    """Say which files of the lake are damaged: Spark's own error may not. Of object storage nothing is said."""
    for one in damage.found(lake_paths.folder) if lake_paths.folder else ():
        log.error("the lake is damaged", file=str(one.file), damage=str(one), way_back=damage.WAY_BACK)


def watch(queries: list[StreamingQuery], stopping: Event, lake_paths: LakePaths) -> bool:
    """Wait until a query ends, the clock is set back, or it is time to stop. Returns whether all was well."""
    clock = Clock()
    while not stopping.wait(POLL_S):
        if back_s := clock.set_back_s():
            log.error(
                "the clock was set back: the queries are started again, or they would wait for it", seconds=back_s
            )
            return False
        for query in queries:
            if not query.isActive:
                log.error("a query died", query=query.name, error=str(query.exception()))
                name_damage(lake_paths)
                return False
        if all(query.lastProgress or query.status["isTriggerActive"] for query in queries[:1]):
            metrics.READY.set(1)
    return True


def slots(settings: Settings, names: Collection[str]) -> int:
    """Task slots on one machine: real-time mode holds one per partition for good, and needs one beside them."""
    held = settings.kafka_partitions + 1 if serve.QUERY in names and settings.serve_mode == "realtime" else 0
    return held + (CORES if lake.QUERY in names or not held else 0)


def memory_of(settings: Settings, only: str | None) -> str:
    """Heap of the driver of one query, or of both."""
    return settings.serve_driver_memory if only == serve.QUERY else settings.lake_driver_memory


def check_slots(settings: Settings) -> None:
    """Raise ConfigError when the master that the settings name has no slot beside those that real-time mode holds."""
    local = re.fullmatch(r"local\[(\d+)\]", settings.spark_master)
    if settings.serve_mode == "realtime" and local and int(local[1]) <= settings.kafka_partitions:
        needed = f"more slots than the {settings.kafka_partitions} partitions that real-time mode holds"
        raise ConfigError(f"{PREFIX}SPARK_MASTER: {settings.spark_master} must have {needed}")


def main() -> int:
    """Run until told to stop. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs.stream", description=__doc__)
    parser.add_argument("query", nargs="?", choices=QUERIES, help="run only this one; default: both")
    only = parser.parse_args().query
    names = (only,) if only else QUERIES
    settings = load_settings()
    logs.configure(only or "stream", settings.log_level)
    serves = serve.QUERY in names
    if serves:
        check_slots(settings)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    port = settings.serve_metrics_port if serves else settings.lake_metrics_port
    serve_metrics(settings.listen_host, port, serve.QUERY if only == serve.QUERY else lake.QUERY)
    freshet.log.ensure_topics(settings)
    spark = spark_session(
        settings,
        f"freshet-{only or 'stream'}",
        slots=slots(settings, names),
        memory=memory_of(settings, only),
        java_options=settings.stream_java_options,
        # of a stream they do not say what it writes (docs/decisions/0018-lineage-events.md)
        lineage=False,
    )
    spark.streams.addListener(ProgressListener(settings))
    jvm.expose(spark)
    queries = start(spark, settings, names)
    log.info("queries started", queries=[query.name for query in queries], serve_mode=settings.serve_mode)
    well = watch(queries, stopping, settings.lake)
    metrics.READY.set(0)
    try:
        for query in queries:
            query.stop()
        spark.stop()
    except (Py4JError, PySparkException) as error:
        # A signal to the whole process group ends the JVM before it can be asked.
        log.info("the JVM was gone first", error=str(error)[:200])
    log.info("stopped", well=well)
    return 0 if well else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FreshetError as error:
        logs.end(error)
