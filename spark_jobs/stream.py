"""The Spark application: the serve and lake queries in one session. Run as `python -m spark_jobs.stream`.

Ends with 1 when a query dies, so that whoever supervises it starts it again from the checkpoints.
"""

import re
import signal
import sys
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
from freshet.settings import PREFIX, Settings, load_settings
from freshet.telemetry import logs, metrics
from freshet.telemetry.serve import serve_metrics
from spark_jobs.lake import MAX_BATCH_RECORDS, TOPICS, lake_writer
from spark_jobs.listener import ProgressListener
from spark_jobs.serve import MAX_MICROBATCH_RECORDS, serve_writer
from spark_jobs.session import spark_session
from spark_jobs.source import read_stream
from spark_jobs.tables import create_tables

log = structlog.get_logger()

POLL_S: Final = 0.5
"""How soon a query that ended is noticed."""


def start(spark: SparkSession, settings: Settings) -> list[StreamingQuery]:
    """Start both queries and return them."""
    create_tables(spark, settings.lake)
    realtime = settings.serve_mode == "realtime"
    raw = read_stream(spark, settings, [topics.RAW], None if realtime else MAX_MICROBATCH_RECORDS)
    everything = read_stream(spark, settings, TOPICS, MAX_BATCH_RECORDS)
    interval = f"{settings.lake_interval_s} seconds"
    return [
        serve_writer(raw, settings).start(),
        lake_writer(everything, settings).trigger(processingTime=interval).start(),
    ]


def watch(queries: list[StreamingQuery], stopping: Event) -> bool:
    """Wait until one query ends or it is time to stop. Returns whether all of them were well until then."""
    while not stopping.wait(POLL_S):
        for query in queries:
            if not query.isActive:
                log.error("a query died", query=query.name, error=str(query.exception()))
                return False
        if all(query.lastProgress or query.status["isTriggerActive"] for query in queries[:1]):
            metrics.READY.set(1)
    return True


def check_slots(settings: Settings) -> None:
    """Real-time mode holds one task slot per partition for good: raise ConfigError when none is left for the lake."""
    local = re.fullmatch(r"local\[(\d+)\]", settings.spark_master)
    if settings.serve_mode == "realtime" and local and int(local[1]) <= settings.kafka_partitions:
        needed = f"more slots than the {settings.kafka_partitions} partitions that real-time mode holds"
        raise ConfigError(f"{PREFIX}SPARK_MASTER: {settings.spark_master} must have {needed}")


def main() -> int:
    """Run until told to stop. Returns the exit code."""
    settings = load_settings()
    logs.configure("stream", settings.log_level)
    check_slots(settings)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    serve_metrics(settings.stream_metrics_port)
    freshet.log.ensure_topics(settings)
    spark = spark_session(settings, "freshet-stream")
    spark.streams.addListener(ProgressListener(settings))
    queries = start(spark, settings)
    log.info("queries started", queries=[query.name for query in queries], serve_mode=settings.serve_mode)
    well = watch(queries, stopping)
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
        sys.exit(f"error: {error}")
