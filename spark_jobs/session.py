"""The one Spark session of a job."""

import os
import sys

from pyspark.sql import SparkSession

from freshet import spark
from freshet.settings import Settings


def spark_session(
    settings: Settings,
    name: str,
    *,
    slots: int = spark.CORES,
    memory: str = "",
    java_options: str = spark.BATCH_JAVA_OPTIONS,
    lineage: bool = True,
) -> SparkSession:
    """The session, made when there is none, with the options of `freshet.spark`.

    Without a master in the settings it runs here, with that many task slots. Under spark-submit the JVM runs already:
    its memory and its own options are those that it was submitted with. Raises PermanentError when the jars are not
    there.
    """
    # The transforms need no Python on the executors; whoever does gets this one, and not the first of the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.spark_master or f"local[{slots}]")
    for key, value in spark.options(settings, memory, java_options, slots=slots, lineage=lineage).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()
