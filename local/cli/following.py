"""A run of a DAG that a command asks Airflow for, and follows."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from freshet import airflow_access as access
from freshet import airflow_client as client
from freshet.airflow_client import Airflow
from freshet.errors import PermanentError
from freshet.settings import Settings
from local.cli import console

POLL_S = 1.0
LOG_LINES = 30


class Asked(NamedTuple):
    """A DAG and its parameters; the task that does the work, and in how many parts."""

    dag: str
    conf: Mapping[str, Any]
    task: str
    parts: int


def ask(settings: Settings, asked: Asked, *, wait: bool) -> dict[str, Any] | None:
    """Start a run. Returns its report when it has ended; None when nobody waits for it.

    Raises PermanentError when it fails, with the end of its log shown, TransientError when Airflow is away.
    """
    with client.connect(settings) as airflow:
        run_id = airflow.trigger(asked.dag, asked.conf)
        page = f"{access.page_url(settings)}/dags/{asked.dag}/runs/{run_id}"
        console.say(f"run {run_id}: {page}")
        if not wait:
            return None
        state = _follow(airflow, asked, run_id)
        if state != "success":
            _show_failure(airflow, asked.dag, run_id)
            raise PermanentError(f"the run {state}: see {page}")
        return dict(airflow.result(asked.dag, run_id, "report"))


def _follow(airflow: Airflow, asked: Asked, run_id: str) -> str:
    """Show how far it is until it ends. Returns its state."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console.err) as progress:
        bar = progress.add_task("waiting for Airflow", total=asked.parts)
        while (state := str(airflow.run(asked.dag, run_id)["state"])) not in client.ENDED:
            tasks = airflow.tasks(asked.dag, run_id)
            done = sum(task["task_id"] == asked.task and task["state"] == "success" for task in tasks)
            active = next((task["task_id"] for task in tasks if task["state"] == "running"), "waiting for Airflow")
            progress.update(bar, completed=done, description=active)
            time.sleep(POLL_S)
        if state == "success":
            progress.update(bar, completed=asked.parts, description="done")
    return state


def _show_failure(airflow: Airflow, dag: str, run_id: str) -> None:
    for task in airflow.tasks(dag, run_id):
        if task["state"] == "failed":
            log = airflow.log(dag, run_id, task["task_id"], task["try_number"], task["map_index"])
            console.say(f"the end of the log of {task['task_id']}:")
            console.say("\n".join(log.splitlines()[-LOG_LINES:]))
