"""What else worked in a window of a long run."""

from datetime import UTC, datetime

import pytest

from freshet import airflow_client
from freshet.errors import TransientError
from freshet.settings import Settings
from local.soak_jobs import seconds_of, worked

WINDOW = (datetime(2026, 11, 28, 22, 40, tzinfo=UTC), datetime(2026, 11, 28, 22, 50, tzinfo=UTC))


def run(dag_id: str, start: str | None, end: str | None) -> dict[str, str | None]:
    times = (f"2026-11-28T{time}Z" if time else None for time in (start, end))
    return {"dag_id": dag_id, **dict(zip(("start_date", "end_date"), times, strict=True))}


def test_of_each_run_counts_what_lies_in_the_window() -> None:
    runs = [
        run("check_freshness", "22:39:50", "22:40:05"),
        run("check_freshness", "22:42:00", "22:42:07.500"),
        run("forget", "22:47:00", None),
        run("forget", "21:47:00", "21:48:00"),
        run("compact_gold", "23:17:00", "23:18:00"),
        run("backfill_history", None, None),
    ]
    assert seconds_of(runs, WINDOW) == {"check_freshness": 12.5, "forget": 180}


def test_an_airflow_that_does_not_answer_costs_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Settings) -> None:
        raise TransientError("Airflow is away")

    monkeypatch.setattr(airflow_client, "connect", away)
    assert worked(Settings(airflow=True), {"last": WINDOW}) is None
    assert worked(Settings(airflow=False), {"last": WINDOW}) == {"last": {}}
