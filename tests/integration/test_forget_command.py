"""`freshet forget` on a real store: what it counts, what it removes, and what it tells Airflow."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from freshet.contract.removals import Kind, target
from freshet.errors import PermanentError, TransientError
from freshet.settings import Settings, load_settings
from freshet.upkeep.forget import asked
from local import running
from local.cli import app, following
from local.cli.following import Asked
from tests.api_builders import insert
from tests.documents import document

pytestmark = pytest.mark.integration

ROWS = {"bronze": 2, "silver": 1, "gold": 1, "rejected": 0}
SNOW = target(Kind.PAGE, "enwiki", "Snow cone")
Forget = Callable[..., Result]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What Airflow is asked for; it answers at once."""
    seen: list[Asked] = []

    def ask(_: Settings, asked: Asked, *, wait: bool) -> dict[str, Any] | None:
        seen.append(asked)
        return {"total": {"rows": ROWS}} if wait else None

    monkeypatch.setattr(following, "ask", ask)
    return seen


@pytest.fixture
def forget(store: str, told: list[Asked], monkeypatch: pytest.MonkeyPatch) -> Forget:
    """The command, on a store with an edit of two pages."""
    insert(
        store,
        document(doc_id="snow", title="Snow cone", user_name="Ada"),
        document(doc_id="ice", title="Ice: cream", user_name="2001:DB8::1", user_kind="ip"),
    )
    settings = load_settings(postgres_dsn=SecretStr(store))
    monkeypatch.setattr(running, "running_settings", lambda: settings)
    return lambda *words: CliRunner().invoke(app, ["forget", *words])


def ids(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo) as connection:
        return [row[0] for row in connection.execute("SELECT doc_id FROM documents ORDER BY 1").fetchall()]


def test_unasked_it_only_counts_in_every_store(forget: Forget, told: list[Asked], store: str) -> None:
    done = forget("--page", "enwiki:Snow_cone", "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert (report["applied"], report["index"], report["lake"]) == (False, {"documents": 1, "answers": 0}, ROWS)
    assert (report["log_keeps_hours"], report["lake_files_keep_hours"]) == (72, 168)
    assert ids(store) == ["ice", "snow"]
    assert told[0].conf == {"targets": [f"page:{SNOW}"], "dry_run": True}


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--page", "enwiki:Snow cone"], ["ice"]),
        (["--page", "enwiki:Ice: cream"], ["snow"]),
        (["--page", "dewiki:Snow cone"], ["ice", "snow"]),
        (["--user", "Ada"], ["ice"]),
        (["--user", "enwiki:Ada"], ["ice"]),
        (["--user", "2001:DB8::1"], ["snow"]),
        (["--user", "enwiki:2001:DB8::1"], ["snow"]),
        (["--event", "ice"], ["snow"]),
    ],
)
def test_with_apply_the_index_loses_it_at_once_and_airflow_is_told_no_name(
    forget: Forget, told: list[Asked], store: str, words: list[str], left: list[str]
) -> None:
    done = forget(*words, "--apply")
    assert done.exit_code == 0, done.output
    assert ids(store) == left
    assert told[0].conf == {"targets": [], "dry_run": False}
    assert "rows of the lake: bronze 2, silver 1, gold 1, rejected 0" in done.stdout
    assert "The log keeps its records for 72 h" in done.stdout


def test_when_airflow_is_away_it_says_what_is_done_and_what_follows(
    forget: Forget, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise TransientError("Airflow does not answer")

    monkeypatch.setattr(following, "ask", away)
    assert str(forget("--event", "snow").exception) == "Airflow does not answer"
    assert ids(store) == ["ice", "snow"]
    done = forget("--event", "snow", "--apply")
    assert "the index is done; the lake follows" in str(done.exception)
    assert ids(store) == ["ice"]


@pytest.mark.parametrize(
    "words",
    [[], ["--page", "Snow"], ["--page", "enwiki:"], ["--user", " "], ["--event", ""], ["--user", "a", "--event", "b"]],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    forget: Forget, told: list[Asked], store: str, words: list[str]
) -> None:
    done = forget(*words, "--apply")
    assert isinstance(done.exception, PermanentError)
    assert (told, ids(store)) == ([], ["ice", "snow"])


def test_it_is_of_what_happened_until_now() -> None:
    removal = asked("enwiki:Snow", None, None)
    assert timedelta() <= datetime.now(UTC) - removal.until < timedelta(minutes=5)
