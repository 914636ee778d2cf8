"""The one Spark session of a job: its jars, its memory, and the settings that every job shares."""

import os
import sys
from typing import Final

from pyspark.sql import SparkSession

from freshet.errors import PermanentError
from freshet.settings import Settings

CORES: Final = max(2, os.cpu_count() or 1)

_OPTIONS: Final = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Everything is reached by path: no Hive, no folders in the working directory.
    "spark.sql.catalogImplementation": "in-memory",
    "spark.databricks.delta.snapshotPartitions": "1",
    # What is merged is read from fixed offsets or a checkpoint, so it need not be copied to be the same twice.
    "spark.databricks.delta.merge.materializeSource": "none",
    # Else a merge into bronze, which is partitioned by day, passes all payloads to the one task of their day.
    "spark.databricks.delta.merge.repartitionBeforeWrite.enabled": "false",
}
# The code that Spark generates for the transforms is so long that the JVM does not compile it unasked.
_JAVA_OPTIONS: Final = "-XX:-DontCompileHugeMethods"
_BATCH_JAVA_OPTIONS: Final = "-XX:+UseParallelGC"


def spark_session(
    settings: Settings, name: str, *, slots: int = CORES, memory: str = "", java_options: str = _BATCH_JAVA_OPTIONS
) -> SparkSession:
    """The session, made when there is none. The jars are those of `settings.jars_dir`.

    Without a master in the settings it runs here, with that many task slots. `memory` is the driver's heap, as in
    `512m`, and `java_options` are those of its JVM; without them they are those of batch jobs. Raises PermanentError
    when the jars are not there.
    """
    jars = [str(path) for path in sorted((settings.jars_dir / "spark").glob("*.jar"))]
    if not jars:
        raise PermanentError(f"no jars in {settings.jars_dir / 'spark'}: fetch them with `make setup`")
    # The transforms need no Python on the executors; whoever does gets this one, and not the first of the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.spark_master or f"local[{slots}]")
    for key, value in _OPTIONS.items():
        builder = builder.config(key, value)
    builder = builder.config("spark.driver.memory", memory or settings.lake_driver_memory)
    builder = builder.config("spark.jars", ",".join(jars))
    builder = builder.config("spark.driver.extraJavaOptions", f"{_JAVA_OPTIONS} {java_options}")
    # The default class loader of Delta's catalog is the driver's own.
    return builder.config("spark.driver.extraClassPath", ":".join(jars)).getOrCreate()
