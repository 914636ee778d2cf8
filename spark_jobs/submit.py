"""Submits a query of the stream application to a Spark cluster: `python -m spark_jobs.submit serve|lake`.

It runs `spark-submit` in client mode: the driver is here, the executors are on the cluster. What the driver imports is
shipped with it, so no machine of the cluster needs more than Spark.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import psutil

from freshet import spark
from freshet.environment import environment_of
from freshet.errors import ConfigError, FreshetError
from freshet.settings import CHECKOUT, PREFIX, Settings, load_settings
from freshet.telemetry import logs
from spark_jobs.stream import QUERIES, memory_of, slots

SHIPPED: Final = ("freshet", "spark_jobs")


def command(settings: Settings, query: str) -> list[str]:
    """The command line of spark-submit. Raises ConfigError when the settings name no cluster."""
    if not spark.is_cluster(settings):
        raise ConfigError(f"{PREFIX}SPARK_MASTER must name a cluster, such as spark://HOST:7077")
    options = spark.options(
        settings,
        memory_of(settings, query),
        settings.stream_java_options,
        slots=slots(settings, (query,)),
        # as in spark_jobs.stream
        lineage=False,
    )
    return [
        str(spark.home() / "bin" / "spark-submit"),
        "--master", settings.spark_master,
        "--deploy-mode", "client",
        "--name", f"freshet-{query}",
        "--py-files", str(archive(settings.state_dir / "spark" / f"{query}.zip")),
        *(part for name, value in options.items() for part in ("--conf", f"{name}={value}")),
        str(CHECKOUT / "spark_jobs" / "stream.py"),
        query,
    ]  # fmt: skip


def archive(file: Path) -> Path:
    """Write what the driver imports of ours into one file, and return it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(file, "w") as packed:
        for room in SHIPPED:
            for source in sorted((CHECKOUT / room).rglob("*")):
                if source.is_file() and "__pycache__" not in source.parts:
                    packed.write(source, source.relative_to(CHECKOUT))
    return file


def environment(settings: Settings) -> Mapping[str, str]:
    """What spark-submit runs with: the driver does not find the `.env` of this checkout by itself."""
    own = {"SPARK_HOME": str(spark.home()), "PYSPARK_PYTHON": sys.executable}
    return {**os.environ, **environment_of(settings), **own}


def stop(submitted: psutil.Process) -> None:
    """Ask the driver to end, which ends the queries and then spark-submit; without one yet spark-submit itself."""
    application = str(CHECKOUT / "spark_jobs" / "stream.py")
    drivers = [child for child in submitted.children(recursive=True) if application in child.cmdline()]
    for process in drivers or [submitted]:
        process.terminate()


def main() -> int:
    """Run until told to stop. Returns the exit code of spark-submit."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs.submit", description=__doc__)
    parser.add_argument("query", choices=QUERIES)
    query = parser.parse_args().query
    settings = load_settings()
    logs.configure(query, settings.log_level)
    child = subprocess.Popen(command(settings, query), env=environment(settings))
    submitted = psutil.Process(child.pid)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop(submitted))
    return child.wait()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FreshetError as error:
        logs.end(error)
