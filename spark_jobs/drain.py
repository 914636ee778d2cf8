"""Writes all that the log holds to the lake and ends: `python -m spark_jobs.drain`.

The last line of standard output is one JSON object with rows and seconds (without the session's start), also by batch,
each with the time at which it began.
"""

import json
import sys
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql.streaming.listener import StreamingQueryProgress

from freshet.errors import FreshetError
from freshet.settings import Settings, load_settings
from freshet.telemetry import logs
from spark_jobs.lake import MAX_BATCH_RECORDS, TOPICS, lake_writer
from spark_jobs.session import spark_session
from spark_jobs.source import read_stream
from spark_jobs.tables import create_tables


def drain(records: DataFrame, settings: Settings) -> list[dict[str, float]]:
    """Write everything available through the lake query; raises what stopped it.

    Returns `rows`, `began` (s since the epoch) and `seconds` of each of the last hundred batches.
    """
    query = lake_writer(records, settings).trigger(availableNow=True).start()
    query.awaitTermination()
    return [_figures(progress) for progress in query.recentProgress]


def _figures(progress: StreamingQueryProgress) -> dict[str, float]:
    return {
        "rows": progress.numInputRows,
        "began": datetime.fromisoformat(progress.timestamp).timestamp(),
        "seconds": progress.durationMs["triggerExecution"] / 1000,
    }


def main() -> None:
    """Drain, and say how fast."""
    settings = load_settings()
    logs.configure("drain", settings.log_level)
    spark = spark_session(settings, "freshet-drain", lineage=False)
    create_tables(spark, settings.lake)
    batches = drain(read_stream(spark, settings, TOPICS, MAX_BATCH_RECORDS), settings)
    spark.stop()
    totals = {name: sum(batch[name] for batch in batches) for name in ("rows", "seconds")}
    sys.stdout.write(json.dumps({**totals, "batches": batches}) + "\n")


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
