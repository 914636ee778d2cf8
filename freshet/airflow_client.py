"""Airflow's REST interface, as far as the command and the exporter need it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx

from freshet import airflow_access as access
from freshet.errors import ConfigError, PermanentError, TransientError
from freshet.settings import PREFIX, Settings

TIMEOUT_S: Final = 30.0
ENDED: Final = ("success", "failed")


class Airflow:
    """A logged-in user. Every method raises TransientError when Airflow does not answer."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run. Returns its id. Raises ConfigError when a parameter is not as the DAG wants it."""
        run = self._ask("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": dict(conf)})
        return str(run["dag_run_id"])

    def runs(self, dag_id: str, most: int = 10) -> list[dict[str, Any]]:
        """The latest runs, the newest first."""
        return list(self._ask("GET", f"dags/{dag_id}/dagRuns?limit={most}&order_by=-run_after")["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """A run, with its `state`: queued, running, success or failed."""
        return self._ask("GET", f"dags/{dag_id}/dagRuns/{run_id}")

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Every task of a run, a mapped one once for each part."""
        return list(self._ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000")["task_instances"])

    def dags(self) -> list[str]:
        """The ids of all DAGs."""
        return [str(one["dag_id"]) for one in self._ask("GET", "dags?limit=100")["dags"]]

    def ended(self, dag_id: str, state: str) -> tuple[int, dict[str, Any] | None]:
        """How many runs of a DAG ended in this state, and the latest of them."""
        found = self._ask("GET", f"dags/{dag_id}/dagRuns?state={state}&limit=1&order_by=-end_date")
        return int(found["total_entries"]), next(iter(found["dag_runs"]), None)

    def health(self) -> dict[str, Any]:
        """Each component with its `status` and when it last said that it lives."""
        return self._ask("GET", "monitor/health")

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._ask("GET", path)["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int, part: int = -1) -> str:
        """The log of one attempt at a task, of a mapped one at one of its parts."""
        path = (
            f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}?full_content=true&map_index={part}"
        )
        return "\n".join(str(line.get("event", line)) for line in self._ask("GET", path)["content"])

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return _checked(lambda: self._http.request(method, f"/api/v2/{path}", json=body))


@contextmanager
def connect(settings: Settings) -> Iterator[Airflow]:
    """The Airflow of the settings. Raises ConfigError when there never was one, TransientError when it is away."""
    url = access.shown_url(settings)
    if url is None:
        raise ConfigError(f"there is no Airflow: {PREFIX}AIRFLOW is false, and {PREFIX}AIRFLOW_URL is empty")
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as http:
        who = {"username": settings.airflow_user, "password": access.shown_password(settings)}
        token = _checked(lambda: http.post("/auth/token", json=who))["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield Airflow(http)


def _checked(ask: Callable[[], httpx.Response]) -> dict[str, Any]:
    try:
        response = ask()
    except httpx.HTTPError as error:
        raise TransientError(f"Airflow does not answer ({error}): see `freshet status`") from error
    if response.status_code in (400, 404, 409, 422):
        raise ConfigError(f"Airflow refuses: {_detail(response)}")
    if not response.is_success:
        raise PermanentError(f"Airflow answers {response.status_code}: {_detail(response)}")
    return dict(response.json())


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError):
        return response.text[:500]
