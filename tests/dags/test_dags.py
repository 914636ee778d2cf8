"""Every DAG can be read, says what it is for, and is careful unless told otherwise."""

import ast
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from freshet.settings import CHECKOUT

DAGS = CHECKOUT / "dags"
REWRITING = {"backfill_context", "backfill_embeddings", "backfill_history", "compact_gold", "forget", "replay_offsets"}
BOUNDED = REWRITING - {"compact_gold", "forget"}


@pytest.fixture(scope="module")
def dagbag(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Airflow reads its configuration when it is imported: here it gets a folder of its own and nothing else."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        environment.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        from airflow.dag_processing.dagbag import DagBag

        began = time.monotonic()
        bag = DagBag(dag_folder=str(DAGS))
        print(f"{len(bag.dags)} DAGs read in {time.monotonic() - began:.2f} s")  # noqa: T201
        return bag


@pytest.fixture(params=sorted(file.stem for file in DAGS.glob("*.py")))
def dag(request: pytest.FixtureRequest, dagbag: Any) -> Any:
    return dagbag.dags[request.param]


def imported(file: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_all_of_them_can_be_imported(dagbag: Any) -> None:
    assert dagbag.import_errors == {}
    assert set(dagbag.dags) == {file.stem for file in DAGS.glob("*.py")}


def test_it_says_what_it_is_for_and_whose_it_is(dag: Any) -> None:
    assert dag.doc_md.strip().startswith(f"# {dag.dag_id}")
    assert dag.default_args["owner"] == "freshet"
    assert "freshet" in dag.tags


def test_it_starts_at_a_fixed_time_and_catches_up_with_nothing_by_itself(dag: Any) -> None:
    assert dag.start_date.isoformat() == "2026-01-01T00:00:00+00:00"
    assert not dag.catchup
    assert dag.max_active_runs == 1


def test_its_tasks_try_again_a_few_times_ever_later_and_alert_at_the_end(dag: Any) -> None:
    for task in dag.tasks:
        assert task.retries <= 3
        assert task.retries == 0 or task.retry_exponential_backoff
        assert task.execution_timeout <= timedelta(hours=2)
    assert dag.default_args["on_failure_callback"].__module__ == "freshet.upkeep.dag_defaults"


def test_a_replay_that_goes_on_too_long_is_alerted(dagbag: Any) -> None:
    from airflow.sdk import DeadlineReference

    for name in BOUNDED:
        (deadline,) = dagbag.dags[name].deadline
        assert deadline.reference == DeadlineReference.DAGRUN_QUEUED_AT
        assert deadline.interval == timedelta(hours=2)
        assert deadline.callback.path == "freshet.upkeep.dag_defaults.overdue"


def test_what_rewrites_is_dry_unless_told_otherwise(dagbag: Any) -> None:
    dry = {name: dag.params["dry_run"] for name, dag in dagbag.dags.items() if "dry_run" in dag.params}
    assert dry == dict.fromkeys(REWRITING, True)


def test_every_parameter_has_a_type_and_a_description(dag: Any) -> None:
    schemas = {name: dag.params.get_param(name) for name in dag.params}
    assert all(param.schema.get("type") and param.description for param in schemas.values())


def test_history_is_filled_by_the_hour_and_one_part_at_a_time(dagbag: Any) -> None:
    dag = dagbag.dags["backfill_history"]
    # the timetable of a plain cron expression has no intervals
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert dag.get_task("fill").max_active_tis_per_dag == 1


@pytest.mark.parametrize("file", sorted(DAGS.glob("*.py")), ids=lambda file: file.stem)
def test_its_file_is_thin_and_loads_no_spark(file: Any) -> None:
    text = file.read_text()
    assert not [name for name in imported(text) if name.partition(".")[0] in ("pyspark", "spark_jobs")]
    assert len(text.splitlines()) <= 120


def test_embeddings_are_filled_day_by_day(dagbag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    dag = DagSerialization.from_dict(DagSerialization.to_dict(dagbag.dags["backfill_embeddings"]))
    begin = TimeRestriction(dag.start_date, None, catchup=True)
    info = dag.timetable.next_dagrun_info(last_automated_data_interval=None, restriction=begin)
    assert info.data_interval.start == dag.start_date
    assert info.data_interval.end - info.data_interval.start == timedelta(days=1)


def test_a_model_is_switched_to_after_its_index_was_made_and_compared(dagbag: Any) -> None:
    dag = dagbag.dags["backfill_embeddings"]
    order = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert order["plan"] == {"embed", "drop"}
    assert [order[name] for name in ("embed", "index", "compare", "switch", "drop")] == [
        {"index"}, {"compare"}, {"switch"}, {"report"}, {"report"},
    ]  # fmt: skip
    assert dag.get_task("embed").is_mapped


def test_hourly_spark_jobs_compile_soon_and_a_replay_compiles_well(dagbag: Any) -> None:
    once = "-XX:TieredStopAtLevel=1"
    for name in ("compact_gold", "forget"):
        assert once in dagbag.dags[name].get_task("lake").conf["spark.driver.extraJavaOptions"]
    replay = dagbag.dags["replay_offsets"].get_task("replay").partial_kwargs
    assert once not in replay["conf"]["spark.driver.extraJavaOptions"]
