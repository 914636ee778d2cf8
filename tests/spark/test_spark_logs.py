"""What a Spark job's JVM writes goes into the job's log, and is JSON as the job's own lines are."""

import json
import subprocess
import sys

import pytest

from freshet.settings import CHECKOUT

pytestmark = pytest.mark.spark

JOB = """
from freshet.settings import load_settings
from freshet.telemetry import logs
from spark_jobs.session import spark_session

logs.configure("job")
spark = spark_session(load_settings(), "logs", slots=1, memory="512m")
jvm = spark._jvm
jvm.org.slf4j.LoggerFactory.getLogger("a.b").warn("line one\\nline two", jvm.java.lang.RuntimeException("why"))
spark.stop()
"""


def test_the_jvm_writes_json() -> None:
    done = subprocess.run([sys.executable, "-c", JOB], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    # the one line that is there before the JVM has a logger
    written = [
        line for line in done.stderr.splitlines() if line != "WARNING: Using incubator modules: jdk.incubator.vector"
    ]
    said = {line["event"]: line for line in map(json.loads, written)}
    line = said["line one\nline two"]
    assert (line["level"], line["logger"], line["timestamp"][-1]) == ("WARN", "a.b", "Z")
    assert "java.lang.RuntimeException: why" in line["exception"]
