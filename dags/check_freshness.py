"""
# check_freshness

Every two minutes: how old is what every layer has still to do, against what is promised (`FRESHET_SLA_*`)?

A quiet stream is told from a stuck one: where nothing is owed, nothing grows older. A breach is alerted once when it
begins and once when it ends, and fails this run for as long as it lasts.

By hand: `airflow dags trigger check_freshness`, or without Airflow `python -m freshet.upkeep.check_freshness`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from freshet.settings import load_settings
from freshet.upkeep.dag_defaults import DEFAULTS, START


@dag(
    schedule="*/2 * * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={**DEFAULTS, "execution_timeout": timedelta(minutes=2)},
    tags=["freshet", "sla"],
    doc_md=__doc__,
)
def check_freshness() -> None:
    """Measure, keep and alert; then show a breach as a run that failed."""

    @task(retries=0)
    def check() -> dict[str, Any]:
        """Measure every layer, keep the checks, tell of breaches that began or ended."""
        from freshet.upkeep.check_freshness import run

        return run(load_settings())

    @task(retries=0, on_failure_callback=None)
    def judge(report: dict[str, Any]) -> None:
        """Fail while anything is in breach. It was told already."""
        if report["breaches"]:
            raise AirflowFailException("in breach: " + ", ".join(one["name"] for one in report["breaches"]))

    judge(check())


check_freshness()
