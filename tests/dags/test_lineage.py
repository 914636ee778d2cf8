"""A run of a DAG sends lineage events where the settings say so, and none otherwise."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from freshet.settings import CHECKOUT, load_settings
from local.airflow import configuration
from tests.receiver import Receiver
from tests.serving import listening

DAG = """
from datetime import UTC, datetime

from airflow.sdk import dag, task

from freshet import lineage
from freshet.settings import load_settings

settings = load_settings()


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)
def probe():
    @task(inlets=lineage.topics(settings, "wiki.raw"), outlets=lineage.tables(settings, "silver"))
    def made() -> int:
        return 1

    @task
    def broken(_: int) -> None:
        raise ValueError("as meant")

    broken(made())


probe()
"""
RUN = """
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import initdb

initdb()
run = DagBag().dags["probe"].test()
assert run.state == "failed", run.state
"""


@contextmanager
def running(folder: Path, receiver: str, openlineage_url: str) -> Iterator[None]:
    """A run in a process of its own: Airflow reads its configuration when it is imported."""
    dags = folder / "dags"
    dags.mkdir(parents=True)
    (dags / "probe.py").write_text(DAG)
    settings = load_settings(state_dir=folder, openlineage_url=openlineage_url, postgres_dsn=SecretStr("dbname=none"))
    environment = {
        **os.environ,
        **configuration.environment(settings),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"sqlite+aiosqlite:///{folder}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "FRESHET_OPENLINEAGE_URL": openlineage_url,
        "FRESHET_LAKE_ROOT": f"file://{folder}/lake",
        "FRESHET_KAFKA_BOOTSTRAP_SERVERS": "broker:9092",
        # what turns the client on where nothing turns it off
        "OPENLINEAGE_URL": receiver,
        "PYTHONPATH": str(CHECKOUT),
    }
    del environment["AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE"]
    command = [sys.executable, "-c", RUN]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        yield
        output, _ = run.communicate()
        assert run.returncode == 0, output[-3000:]


def said(events: list[dict[str, Any]], name: str) -> list[str]:
    return [event["eventType"] for event in events if event["job"]["name"] == name]


def test_a_run_says_what_it_reads_and_writes_and_how_it_ended_or_nothing_at_all(tmp_path: Path) -> None:
    silent, told = Receiver(), Receiver()
    with (
        listening(silent) as (_, away),
        listening(told) as (_, url),
        running(tmp_path / "off", away, ""),
        running(tmp_path / "on", away, url),
    ):
        pass
    assert silent.bodies == []
    assert set(told.paths) == {"/api/v1/lineage"}
    assert {event["job"]["namespace"] for event in told.bodies} == {"freshet"}
    assert said(told.bodies, "probe.made") == ["START", "COMPLETE"]
    assert said(told.bodies, "probe.broken") == ["START", "FAIL"]
    assert said(told.bodies, "probe")[-1] == "FAIL"
    complete = told.bodies[1]
    assert [(one["namespace"], one["name"]) for one in complete["inputs"]] == [("kafka://broker:9092", "wiki.raw")]
    assert [(one["namespace"], one["name"]) for one in complete["outputs"]] == [("file", f"{tmp_path}/on/lake/silver")]


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """By DAG and task, what is declared when events are sent."""
    for jar_set in ("spark", "lineage"):
        (tmp_path / jar_set).mkdir()
        (tmp_path / jar_set / "any.jar").touch()
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("FRESHET_JARS_DIR", str(tmp_path))
    monkeypatch.setenv("FRESHET_OPENLINEAGE_URL", "http://lineage.example")
    monkeypatch.setenv("FRESHET_POSTGRES_DSN", "host=db.example dbname=store")
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(configuration.DAGS))
    assert bag.import_errors == {}
    names = {
        f"{dag.dag_id}.{task.task_id}": [[one.name for one in ends] for ends in (task.inlets, task.outlets)]
        for dag in bag.dags.values()
        for task in dag.tasks
    }
    return {task: ends for task, ends in names.items() if any(ends)}


def test_tasks_that_read_or_write_data_say_which(datasets: Any) -> None:
    replay = [[place.rpartition("/")[2] for place in ends] for ends in datasets["replay_offsets.replay"]]
    assert replay == [["wiki.raw", "bronze"], ["silver", "gold", "rejected", "wiki.gold"]]
    assert datasets["backfill_history.fill"] == [["/v2/stream/recentchange"], ["wiki.raw"]]
    assert datasets["backfill_embeddings.embed"] == [["store.public.documents", "store.public.pages"], []]
    assert datasets["backfill_context.ask"] == [["store.public.documents"], ["store.public.pages"]]
    tables = ["bronze", "silver", "gold", "rejected"]
    assert [[place.rpartition("/")[2] for place in ends] for ends in datasets["forget.lake"]] == [tables, tables]
    alone = tables[1:3]
    assert [[place.rpartition("/")[2] for place in ends] for ends in datasets["forget.tables"]] == [alone, alone]
    assert set(datasets) == {
        "backfill_context.ask", "backfill_embeddings.embed", "backfill_history.fill", "compact_gold.lake",
        "compact_gold.postgres", "forget.lake", "forget.tables", "replay_offsets.replay",
    }  # fmt: skip
