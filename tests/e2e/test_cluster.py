"""The stack with Spark as a cluster, two indexers and two API processes: parts of it are killed, and the books balance.

The tests stand in the order of one story and share one stack.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from freshet.store import busy
from local import guard
from local.supervision import run_folder
from local.supervisor import Supervisor
from tests.conftest import SHARED_DATA
from tests.stacks import START_TIMEOUT_S, Stack, eventually, running_stack

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture(scope="module")
def wide() -> Iterator[Stack]:
    recording = SHARED_DATA / "recentchange.ndjson.gz"
    source = {"source": "recording", "recording": recording} if recording.exists() else {"source": "simulated"}
    several = {"cluster": True, "indexers": 2, "api_workers": 2}
    with running_stack(**source, **several, rate=60, lake_interval_s=5, monitoring=False) as stack:
        yield stack


KILLED = ("spark-worker-1", "indexer-2", "api-2")


def states(stack: Stack, *names: str) -> set[str]:
    """Of the processes with these names, or of all."""
    return {row["state"] for row in stack.json("status")["processes"] if not names or row["name"] in names}


def master(stack: Stack) -> dict[str, Any]:
    return dict(httpx.get(f"http://127.0.0.1:{stack.settings.spark_master_web_port}/json/", timeout=10).json())


def applications(stack: Stack) -> set[tuple[str, str]]:
    known = master(stack)
    return {(one["name"], one["state"]) for one in (*known["activeapps"], *known["completedapps"])}


def shares(stack: Stack) -> list[int]:
    """How many partitions of gold each indexer has."""
    admin = AdminClient({"bootstrap.servers": stack.settings.bootstrap_servers})
    group = stack.settings.indexer_group
    members = admin.describe_consumer_groups([group])[group].result().members
    return sorted(len(member.assignment.topic_partitions) for member in members)


def test_both_queries_run_on_the_cluster(wide: Stack) -> None:
    assert master(wide)["aliveworkers"] == 2
    assert {("freshet-serve", "RUNNING"), ("freshet-lake", "RUNNING")} <= applications(wide)


def test_the_indexers_share_the_partitions(wide: Stack) -> None:
    eventually(lambda: shares(wide) == [2, 2])


def test_both_api_processes_answer_behind_one_port(wide: Stack) -> None:
    def searched(port: int) -> float:
        """Searches that this process has answered."""
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
        counted = re.findall(r'^freshet_api_request_seconds_count\{.*route="/v1/search".*\} (\S+)$', page, re.MULTILINE)
        return sum(map(float, counted))

    first = wide.settings.api_workers_port
    for _ in range(40):
        found = httpx.post(f"http://127.0.0.1:{wide.settings.api_port}/v1/search", json={"query": "a"}, timeout=30)
        assert found.is_success
    assert searched(first) > 0
    assert searched(first + 1) > 0
    assert searched(first) + searched(first + 1) == 40


def test_what_is_killed_comes_back_and_the_books_balance(wide: Stack) -> None:
    eventually(lambda: wide.json("audit", "--wait", "1")["counts"]["documents"] > 100)
    for name in KILLED:
        wide.kill(name)
    # the other indexer takes over, before the killed one is back or after
    eventually(lambda: sum(shares(wide)) == 4)
    eventually(lambda: states(wide, *KILLED) == {"ready"})
    eventually(lambda: master(wide)["aliveworkers"] == 2)
    report = wide.json("audit", "--wait", "180")
    assert report["balanced"], report
    assert report["counts"]["documents"] == report["counts"]["gold"] > 100


def test_a_question_is_answered(wide: Stack) -> None:
    with psycopg.connect(wide.settings.conninfo) as store:
        title = busy.busiest(store, language="en")
    assert wide.json("ask", f"What is changing about {title}?")["outcome"] == "grounded"


@pytest.mark.timeout(900)
def test_what_airflow_submits_runs_on_the_same_master(wide: Stack) -> None:
    # a start does not wait for Airflow, and beside a cluster it takes its time
    eventually(lambda: states(wide) == {"ready"}, START_TIMEOUT_S)
    # its driver and executors are three JVMs more: nothing else is asked of the machine meanwhile
    Supervisor(wide.settings).stop("producer")
    done = wide.run("replay", "--offsets", "0:0-9", "--json", timeout=500)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["total"]["rows"] == 10
    assert ("freshet-replay", "FINISHED") in applications(wide)


def test_down_ends_the_executors_as_well(wide: Stack) -> None:
    workers = [guard.process_of(file) for file in run_folder(wide.settings).glob("spark-worker-*.pid")]
    executors = [child for worker in workers if worker for child in worker.children(recursive=True)]
    assert executors
    assert wide.run("down").returncode == 0
    assert not [process for process in executors if process.is_running()]
