"""Writes all that the log holds to the lake and ends: `python -m spark_jobs.drain`.

The last line of standard output is one JSON object with rows, seconds (without the session's start) and rates.
"""

import json
import sys
from time import monotonic

from pyspark.sql import DataFrame, SparkSession

from freshet.errors import FreshetError
from freshet.settings import Settings, load_settings
from freshet.telemetry import logs
from spark_jobs.lake import MAX_BATCH_RECORDS, TOPICS, lake_writer
from spark_jobs.session import spark_session
from spark_jobs.source import read_stream
from spark_jobs.tables import create_tables


def drain(records: DataFrame, settings: Settings) -> float:
    """Write everything available through the lake query. Returns the seconds it took; raises what stopped it."""
    begun = monotonic()
    query = lake_writer(records, settings).trigger(availableNow=True).start()
    query.awaitTermination()
    return monotonic() - begun


def main() -> None:
    """Drain, and say how fast."""
    settings = load_settings()
    logs.configure("drain", settings.log_level)
    spark = spark_session(settings, "freshet-drain")
    create_tables(spark, settings.lake)
    before = _rows(spark, settings)
    seconds = drain(read_stream(spark, settings, TOPICS, MAX_BATCH_RECORDS), settings)
    rows = _rows(spark, settings) - before
    spark.stop()
    result = {"rows": rows, "seconds": round(seconds, 3), "events_per_second": round(rows / seconds, 1)}
    sys.stdout.write(json.dumps(result) + "\n")


def _rows(spark: SparkSession, settings: Settings) -> int:
    return spark.read.format("delta").load(settings.lake.table("bronze")).count()


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        sys.exit(f"error: {error}")
