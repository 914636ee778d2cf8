"""What all DAGs share, said once and importable: a DAG's callbacks must not live in the folder of DAGs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from freshet import spark
from freshet.settings import CHECKOUT, load_settings
from freshet.upkeep.alerts import tell_failure, tell_overdue

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Fixed, so that the intervals of a schedule are the same wherever it runs."""


def failed(context: Mapping[str, Any]) -> None:
    """Raise an alert for a task that has failed for good. Airflow calls it."""
    task = context["ti"]
    tell_failure(load_settings(), task.dag_id, task.run_id, task.task_id, str(context.get("exception") or "no reason"))


def longest_run() -> timedelta:
    """After how long a replay or backfill is overdue."""
    return timedelta(seconds=load_settings().upkeep_deadline_s)


def overdue(context: Mapping[str, Any]) -> None:
    """Raise an alert for a run that is still going when its deadline has passed. Airflow calls it, once a run."""
    run = context["dag_run"]
    settings = load_settings()
    tell_overdue(settings, run["dag_id"], run["dag_run_id"], f"it goes on after {settings.upkeep_deadline_s:g} s")


DEFAULTS: Final = {
    "owner": "freshet",
    "retries": 2,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": failed,
}


def spark_job(name: str, java_options: str = spark.BATCH_JAVA_OPTIONS) -> dict[str, Any]:
    """How a module of `spark_jobs` is submitted, with these options of its JVM: arguments of SparkSubmitOperator."""
    return {
        "application": str(CHECKOUT / "spark_jobs" / f"{name}.py"),
        "name": f"freshet-{name}",
        "conn_id": "spark_default",
        "conf": spark.options(load_settings(), java_options=java_options),
        "verbose": False,
    }
