"""Which of Airflow's runs worked in a window of a long run: what else the machine had to do."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from freshet import airflow_client
from freshet.errors import FreshetError
from freshet.settings import Settings

MOST = 100
"""So many of the latest runs of each DAG are looked at: one that runs every two minutes has thirty in an hour."""

Window = tuple[datetime, datetime]


def worked(settings: Settings, windows: Mapping[str, Window]) -> dict[str, dict[str, float]] | None:
    """Seconds that the runs of each DAG took of each window, by the name of the window. None when nobody knows."""
    if not settings.airflow:
        return {name: {} for name in windows}
    try:
        with airflow_client.connect(settings) as airflow:
            runs = [run for dag_id in airflow.dags() for run in airflow.runs(dag_id, MOST)]
    except FreshetError:
        return None
    return {name: seconds_of(runs, window) for name, window in windows.items()}


def seconds_of(runs: Iterable[Mapping[str, Any]], window: Window) -> dict[str, float]:
    """Seconds of a window by DAG; a run that has not ended goes on beyond it, one that waits does not count."""
    since, until = window
    found: dict[str, float] = {}
    for run in runs:
        if run["start_date"] is None:
            continue
        began = max(since, datetime.fromisoformat(run["start_date"]))
        ended = min(until, datetime.fromisoformat(run["end_date"])) if run["end_date"] else until
        if ended > began:
            found[run["dag_id"]] = round(found.get(run["dag_id"], 0.0) + (ended - began).total_seconds(), 1)
    return found
