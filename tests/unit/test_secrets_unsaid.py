"""A secret is not repeated, whatever is wrong with it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from freshet.errors import ConfigError
from freshet.settings import Settings, load_settings
from local import running
from local.cli import app as command
from local.ports import find_free

SECRET = "hush-hush"
SECRETS: dict[str, Any] = {
    "postgres_dsn": f"postgresql://freshet:{SECRET}@127.0.0.1:1/nothing?connect_timeout=1",
    "openai_api_key": SECRET,
    "api_key": SECRET,
    "alert_webhook_url": f"https://hooks.example/{SECRET}",
    "alertmanager_webhook_url": f"https://hooks.example/{SECRET}",
    "airflow_password": SECRET,
}


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgres//freshet:{SECRET}@host/store",
        f"postgresql://freshet:{SECRET}%zz@host/store",
        f"postgresql://freshet:a/{SECRET}@host/store",
        f"postgresql://freshet:a@{SECRET}@host/store",
        f"postgresql://freshet:a#{SECRET}@host/store",
        f"postgresql://freshet:a {SECRET}@host/store",
        f"host=here password=a {SECRET}",
        f"host=here password='a {SECRET}",
        SECRET,
    ],
)
def test_an_address_of_postgres_that_cannot_be_read_is_refused_and_not_repeated(dsn: str) -> None:
    with pytest.raises(ConfigError, match=r"^FRESHET_POSTGRES_DSN: must be postgresql://") as caught:
        load_settings(postgres_dsn=dsn)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "postgresql://",
        "postgresql:///store",
        "postgres://host",
        "postgresql://freshet:p%40ss@db.example:6432/store?sslmode=require",
        "postgresql://freshet@[::1]:5432/store",
        "postgresql://one:5432,two:5432/store?target_session_attrs=read-write",
        "host=db.example port=6432 user=freshet password='it\\'s a word' dbname=store",
    ],
)
def test_an_address_that_libpq_reads_is_taken(dsn: str) -> None:
    assert load_settings(postgres_dsn=dsn).postgres_dsn.get_secret_value() == dsn


@pytest.mark.parametrize("name", ["alert_webhook_url", "alertmanager_webhook_url"])
def test_an_address_of_alerts_that_is_none_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^FRESHET_{name.upper()}: ") as caught:
        load_settings(**{name: f"hooks.example/{SECRET}"})
    assert SECRET not in str(caught.value)


def test_every_secret_of_the_settings_is_planted_here() -> None:
    assert set(SECRETS) == {
        name for name, field in Settings.model_fields.items() if isinstance(field.default, SecretStr)
    }


@pytest.mark.parametrize(
    "words",
    [["doctor"], ["doctor", "--upgrade"], ["status"], ["status", "--json"], ["search", "snails"], ["ask", "snails"],
     ["rotate-password"], ["audit", "--bad"], ["replay", "--offsets", "0:1-2"], ["backfill-context"],
     ["embeddings", "drop", "minilm"]],
    ids=" ".join,
)  # fmt: skip
def test_a_command_that_fails_says_no_secret(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = [str(port) for port in find_free(2)]
    given = {**SECRETS, "state_dir": tmp_path, "api_port": dead[0], "airflow_port": dead[1], "monitoring": "false"}
    for name, value in given.items():
        monkeypatch.setenv(f"FRESHET_{name.upper()}", str(value))
    done = CliRunner().invoke(command, words)
    assert SECRET not in done.output + str(done.exception)


def test_what_is_kept_of_a_stack_is_without_secrets_and_for_its_owner_alone(tmp_path: Path) -> None:
    settings = load_settings(state_dir=tmp_path, **SECRETS)
    running.remember(settings)
    assert SECRET not in (tmp_path / "run" / running.FILE).read_text()
    assert SECRET not in repr(settings)
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0
