"""How every Spark job is configured: for sessions made by a program, and for those that spark-submit makes."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from freshet.errors import PermanentError
from freshet.lineage import NAMESPACE, TIMEOUT_S
from freshet.settings import Settings

OPTIONS: Final = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # What a driver remembers of work that has ended, for pages that are not shown: else a thousand plans, and those of
    # a merge are large.
    "spark.ui.retainedJobs": "50",
    "spark.ui.retainedStages": "50",
    "spark.ui.retainedTasks": "1000",
    "spark.sql.ui.retainedExecutions": "20",
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
# Else the JVM writes plain lines between ours: Spark's own setting of JSON does not hold for a session made by Python.
LOGGING: Final = f"-Dlog4j2.configurationFile={(Path(__file__).parent / 'log4j2.properties').as_uri()}"
BATCH_JAVA_OPTIONS: Final = "-XX:+UseParallelGC"

CORES: Final = max(2, os.cpu_count() or 1)
"""Task slots of a job that asks for no others."""


ALONE: Final = {"spark.authenticate": "true"}
"""Without a cluster: Spark makes a secret by itself, so that nobody else on the machine can speak to the driver."""

OBJECT_STORAGE: Final = "s3a://"
FETCH: Final = {"s3": "python -m local.jars s3"}
"""How a set of jars is fetched that not every installation has."""

LINEAGE_OPTIONS: Final = {
    "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
    "spark.openlineage.namespace": NAMESPACE,
    "spark.openlineage.transport.type": "http",
    "spark.openlineage.transport.timeoutInMillis": str(TIMEOUT_S * 1000),
}


def options(
    settings: Settings,
    memory: str = "",
    java_options: str = BATCH_JAVA_OPTIONS,
    *,
    slots: int = CORES,
    lineage: bool = True,
) -> dict[str, str]:
    """Spark's options, by name. `memory` is the driver's heap, as in `512m`, and `java_options` are those of its JVM;
    without them they are those of batch jobs. The jars are those of `settings.jars_dir`. On a cluster the job takes so
    many task `slots`, and no more: others run there as well.

    With `lineage`, lineage events are sent if the settings say where to. Credentials and the address of object storage
    are those of the environment, `AWS_ACCESS_KEY_ID` and so on: Spark takes them from there. Raises PermanentError when
    the jars are not there.
    """
    emitting = lineage and bool(settings.openlineage_url)
    stored = settings.lake.root.startswith(OBJECT_STORAGE)
    sets = ("spark", *(["lineage"] if emitting else []), *(["s3"] if stored else []))
    jars = [jar for jar_set in sets for jar in _jars(settings, jar_set)]
    return {
        **OPTIONS,
        "spark.driver.host": settings.spark_driver_host,
        "spark.driver.bindAddress": settings.listen_host,
        "spark.driver.memory": memory or settings.lake_driver_memory,
        "spark.driver.extraJavaOptions": f"{_JAVA_OPTIONS} {LOGGING} {java_options}",
        "spark.jars": ",".join(jars),
        # The default class loader of Delta's catalog is the driver's own.
        "spark.driver.extraClassPath": ":".join(jars),
        **(_of_cluster(settings, java_options, slots) if is_cluster(settings) else ALONE),
        **({**LINEAGE_OPTIONS, "spark.openlineage.transport.url": settings.openlineage_url} if emitting else {}),
        **({"spark.hadoop.fs.s3a.path.style.access": str(settings.lake_path_style).lower()} if stored else {}),
    }


def home() -> Path:
    """Folder of the Spark that is installed with pyspark: its scripts do not find it unless `python3` is ours."""
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise PermanentError("pyspark is not installed: `make setup`")
    return Path(found.origin).parent


def is_cluster(settings: Settings) -> bool:
    """Whether jobs run on a cluster, and not within their own driver."""
    return bool(settings.spark_master) and not settings.spark_master.startswith("local")


def _of_cluster(settings: Settings, java_options: str, slots: int) -> dict[str, str]:
    return {
        "spark.cores.max": str(slots),
        "spark.executor.memory": settings.spark_executor_memory,
        "spark.executor.extraJavaOptions": f"{_JAVA_OPTIONS} {java_options}",
    }


def _jars(settings: Settings, jar_set: str) -> list[str]:
    jars = [str(path) for path in sorted((settings.jars_dir / jar_set).glob("*.jar"))]
    if not jars:
        fetch = FETCH.get(jar_set, "make setup")
        raise PermanentError(f"no jars in {settings.jars_dir / jar_set}: fetch them with `{fetch}`")
    return jars
