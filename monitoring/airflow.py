"""Airflow: when its parts last said that they live, and what became of the runs of each DAG."""

from datetime import datetime
from typing import Any

from freshet import airflow_client
from freshet.errors import FreshetError
from freshet.settings import Settings
from freshet.telemetry import metrics

COMPONENTS = {"scheduler": "latest_scheduler_heartbeat", "dag_processor": "latest_dag_processor_heartbeat"}
STATES = ("success", "failed")
LATEST = 50


class Upkeep:
    """Its REST interface. The runs of every DAG are counted only when one of the latest has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: list[tuple[str, str]] = []

    def look(self) -> None:
        """Set the gauges. Raises FreshetError when Airflow is away or refuses the user."""
        try:
            with airflow_client.connect(self._settings) as airflow:
                health = airflow.health()
                latest = [(run["dag_run_id"], run["state"]) for run in airflow.runs("~", LATEST)]
                if latest != self._seen or not latest:
                    for dag_id in airflow.dags():
                        for state in STATES:
                            _report(dag_id, state, *airflow.ended(dag_id, state))
                self._seen = latest
        except FreshetError:
            self._seen = []
            metrics.AIRFLOW_HEARTBEAT.clear()
            raise
        for component, name in COMPONENTS.items():
            if at := (health.get(component) or {}).get(name):
                metrics.AIRFLOW_HEARTBEAT.labels(component).set(datetime.fromisoformat(at).timestamp())


def _report(dag_id: str, state: str, runs: int, latest: dict[str, Any] | None) -> None:
    metrics.DAG_RUNS.labels(dag_id, state).set(runs)
    if latest is None or not latest["end_date"] or not latest["start_date"]:
        return
    began, ended = (datetime.fromisoformat(latest[name]) for name in ("start_date", "end_date"))
    if state == "success":
        metrics.DAG_SUCCESS.labels(dag_id).set(ended.timestamp())
        metrics.DAG_SECONDS.labels(dag_id).set((ended - began).total_seconds())
