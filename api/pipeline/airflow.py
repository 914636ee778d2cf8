"""What Airflow says of itself and of its runs."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx

from api.models.pipeline import RunOut, UpkeepOut
from freshet import airflow_access
from freshet.errors import ConfigError
from freshet.settings import PREFIX, Settings

RUNS: Final = 15
RUNS_S: Final = 3.0
HEALTH: Final = "/api/v2/monitor/health"
PARTS: Final = ("metadatabase", "scheduler", "dag_processor")
REFUSED: Final = f"Airflow refuses the user and password of {PREFIX}AIRFLOW_USER and {PREFIX}AIRFLOW_PASSWORD"
UNKNOWN: Final = f"no password is known, neither a generated one nor {PREFIX}AIRFLOW_PASSWORD"
OFF: Final = f"off: {PREFIX}AIRFLOW and {PREFIX}AIRFLOW_URL name none"


class Airflow:
    """Its REST interface, as the user whom the settings name. The password goes to `/auth/token` and nowhere else."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._url = airflow_access.shown_url(settings)
        self._page = airflow_access.page_url(settings)
        self._token: str | None = None

    async def upkeep(self) -> UpkeepOut:
        """The latest runs, or why there are none."""
        if self._url is None:
            return UpkeepOut(status=OFF, runs=[], url=None)
        try:
            async with asyncio.timeout(RUNS_S):
                found = await self._ask(self._url, f"/api/v2/dags/~/dagRuns?order_by=-run_after&limit={RUNS}")
            return UpkeepOut(status="ok", runs=[_run(self._page, one) for one in found["dag_runs"]], url=self._page)
        except httpx.HTTPStatusError as error:
            refused = error.response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
            status = REFUSED if refused else f"Airflow answers {error.response.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            status = f"Airflow does not answer: {type(error).__name__}"
        except ConfigError:
            status = UNKNOWN
        except (ValueError, KeyError, TypeError):
            status = "Airflow answers what cannot be read"
        return UpkeepOut(status=status, runs=[], url=self._page)

    async def _ask(self, url: str, path: str) -> Mapping[str, Any]:
        """With the token of before, and with a new one where that is not taken any more."""
        if self._token:
            answer = await self._get(url + path, self._token)
            if answer.status_code != HTTPStatus.UNAUTHORIZED:
                return _read(answer)
        self._token = await self._log_in(url)
        return _read(await self._get(url + path, self._token))

    async def _get(self, address: str, token: str) -> httpx.Response:
        return await self._http.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=RUNS_S)

    async def _log_in(self, url: str) -> str:
        who = {"username": self._settings.airflow_user, "password": airflow_access.shown_password(self._settings)}
        answer = await self._http.post(f"{url}/auth/token", json=who, timeout=RUNS_S)
        return str(_read(answer)["access_token"])


def unhealthy(report: Mapping[str, Any]) -> str | None:
    """The parts that Airflow's health report does not call healthy; None when all are."""
    states = {part: (report.get(part) or {}).get("status") or "not there" for part in PARTS}
    return ", ".join(f"{part} is {state}" for part, state in states.items() if state != "healthy") or None


def _read(answer: httpx.Response) -> Mapping[str, Any]:
    return dict(answer.raise_for_status().json())


def _run(url: str, run: Mapping[str, Any]) -> RunOut:
    dag_id, run_id = str(run["dag_id"]), str(run["dag_run_id"])
    return RunOut(
        dag_id=dag_id,
        run_id=run_id,
        state=run["state"],
        run_type=run["run_type"],
        started_at=run["start_date"],
        ended_at=run["end_date"],
        url=f"{url}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}",
    )
