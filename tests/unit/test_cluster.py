"""Spark as a cluster: what is declared, what is submitted, and what is shipped with it."""

from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import pytest

from freshet import spark
from freshet.errors import ConfigError
from freshet.settings import Settings, load_settings
from local import cluster, stack
from local.process import Process
from spark_jobs import submit

MASTER = "spark://127.0.0.1:4321"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    jars = tmp_path / "jars" / "spark"
    jars.mkdir(parents=True)
    (jars / "one.jar").touch()
    elsewhere = {"kafka_bootstrap_servers": "kafka:9092", "postgres_dsn": "postgresql://postgres"}
    here = load_settings(state_dir=tmp_path, jars_dir=jars.parent, cluster=True, spark_master_port=4321, **elsewhere)
    return cluster.told(here)


def declared(settings: Settings) -> dict[str, Process]:
    return {process.name: process for process in stack.declare(settings)}


def conf(line: list[str]) -> dict[str, str]:
    values = [value for option, value in pairwise(line) if option == "--conf"]
    return dict(value.split("=", maxsplit=1) for value in values)


def test_without_a_cluster_spark_runs_within_its_own_processes(settings: Settings) -> None:
    alone = {"spark_master": "", "cluster": False}
    processes = declared(settings.model_copy(update=alone))
    assert not [name for name in processes if name.startswith("spark-")]
    assert processes["serve"].command[1:] == ("-m", "spark_jobs.stream", "serve")


def test_with_a_cluster_master_and_workers_come_first_and_the_queries_are_submitted(settings: Settings) -> None:
    processes = declared(settings)
    assert {"spark-master", "spark-worker-1", "spark-worker-2"} <= set(processes["lake"].after)
    assert processes["serve"].command[1:] == ("-m", "spark_jobs.submit", "serve")
    assert processes["spark-worker-2"].command[-1] == settings.spark_master == MASTER


def test_every_process_of_a_cluster_has_ports_of_its_own(settings: Settings) -> None:
    several = settings.model_copy(update={"spark_workers": 3, "indexers": 3, "api_workers": 3})
    taken = [port for process in stack.declare(several) for port in process.ports.values()]
    assert len(taken) == len(set(taken))
    assert {"indexer-3", "api-3", "spark-worker-3"} <= declared(several).keys()
    assert len(stack.scraped(several)["indexer"]) == len(stack.scraped(several)["api"]) == 3


def test_engines_of_the_cluster_end_after_what_runs_on_them(settings: Settings) -> None:
    last = {name for name in declared(settings) if stack.ends_last(name)}
    assert last == {"spark-master", "spark-worker-1", "spark-worker-2"}
    assert all(stack.ends_last(name) for name in stack.ENGINES)


def test_a_cluster_elsewhere_and_one_here_are_refused_together() -> None:
    with pytest.raises(ConfigError, match="FRESHET_SPARK_MASTER is spark://there:7077"):
        cluster.told(load_settings(cluster=True, spark_master="spark://there:7077"))


@pytest.mark.parametrize(("query", "slots", "heap"), [("serve", "5", "512m"), ("lake", str(spark.CORES), "2g")])
def test_a_query_takes_the_slots_that_it_needs_and_leaves_the_others(
    settings: Settings, query: str, slots: str, heap: str
) -> None:
    line = submit.command(settings, query)
    assert line[1:5] == ["--master", MASTER, "--deploy-mode", "client"]
    assert conf(line)["spark.cores.max"] == slots
    assert conf(line)["spark.driver.memory"] == heap
    assert conf(line)["spark.executor.memory"] == "1g"
    assert line[-2].endswith("spark_jobs/stream.py")
    assert line[-1] == query


def test_without_a_cluster_nothing_can_be_submitted() -> None:
    for master in ("", "local[5]"):
        with pytest.raises(ConfigError, match="FRESHET_SPARK_MASTER"):
            submit.command(load_settings(spark_master=master), "serve")


def test_a_job_within_its_own_driver_asks_for_no_executors(settings: Settings) -> None:
    alone = spark.options(settings.model_copy(update={"spark_master": "", "cluster": False}))
    assert not [name for name in alone if "executor" in name or name == "spark.cores.max"]


def test_executors_find_the_driver_where_the_settings_say(settings: Settings) -> None:
    made = spark.options(settings.model_copy(update={"spark_driver_host": "serve", "listen_host": "0.0.0.0"}))
    assert (made["spark.driver.host"], made["spark.driver.bindAddress"]) == ("serve", "0.0.0.0")


def test_what_the_driver_imports_is_shipped_and_nothing_else(tmp_path: Path) -> None:
    names = ZipFile(submit.archive(tmp_path / "spark" / "shipped.zip")).namelist()
    assert {"freshet/settings.py", "spark_jobs/transforms/silver.py"} <= set(names)
    assert any(name.startswith("freshet/store/migrations/") for name in names)
    assert {name.split("/")[0] for name in names} == set(submit.SHIPPED)
    assert not [name for name in names if "__pycache__" in name]
