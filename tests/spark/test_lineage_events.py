"""A batch job says which table it has written, under the name that Airflow's events have for it as well."""

import os
import subprocess
import sys

import pytest

from freshet import lineage
from freshet.settings import CHECKOUT, load_settings
from tests.receiver import Receiver
from tests.serving import listening

pytestmark = pytest.mark.spark

JOB = """
from freshet.settings import load_settings
from spark_jobs.session import spark_session

settings = load_settings()
spark = spark_session(settings, "freshet-probe", java_options="-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
spark.range(3).write.format("delta").save(settings.lake.table("gold"))
spark.stop()
"""


def test_a_batch_job_says_what_it_has_written(tmp_path):
    receiver = Receiver()
    with listening(receiver) as (_, url):
        environment = {
            **os.environ,
            "FRESHET_OPENLINEAGE_URL": url,
            "FRESHET_LAKE_ROOT": f"file://{tmp_path}/lake",
            "PYTHONPATH": str(CHECKOUT),
        }
        job = subprocess.run([sys.executable, "-c", JOB], env=environment, capture_output=True, text=True, check=False)
    assert job.returncode == 0, job.stderr[-3000:]
    (gold,) = lineage.tables(load_settings(openlineage_url=url, lake_root=f"file://{tmp_path}/lake"), "gold")
    written = [
        event["eventType"] for event in receiver.bodies if gold.name in [one["name"] for one in event["outputs"]]
    ]
    assert written == ["START", "COMPLETE"]
    assert {event["job"]["namespace"] for event in receiver.bodies} == {lineage.NAMESPACE}
    assert {one["namespace"] for event in receiver.bodies for one in event["outputs"]} == {gold.namespace}
