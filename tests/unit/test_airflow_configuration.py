"""Airflow's configuration is made of ours, and its secrets are made once."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from freshet import airflow_access as access
from freshet.settings import Settings, load_settings
from local.airflow import configuration
from local.stack import declare

DSN = "postgresql://freshet:p%40ss@db.example:6432/store?sslmode=require"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(state_dir=tmp_path, postgres_dsn=SecretStr(DSN), kafka_bootstrap_servers="broker:9092")


@pytest.mark.parametrize(
    "dsn", [DSN, "host=db.example port=6432 user=freshet password=p@ss dbname=store sslmode=require"]
)
def test_its_database_is_another_one_of_the_same_server(settings: Settings, dsn: str) -> None:
    url = make_url(configuration.database_url(settings.model_copy(update={"postgres_dsn": SecretStr(dsn)})))
    assert (url.username, url.password, url.host, url.port) == ("freshet", "p@ss", "db.example", 6432)
    assert url.database == "airflow"
    assert url.query == {"sslmode": "require"}
    assert url.drivername == "postgresql+psycopg"


def test_components_that_start_at_once_have_the_same_secrets(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(lambda _: configuration.environment(settings), range(8))
    assert all(other == first for other in others)
    assert configuration.environment(settings) == first


def test_secrets_are_for_their_owner_alone(settings: Settings) -> None:
    configuration.environment(settings)
    files = list((settings.state_dir / "secrets").iterdir())
    assert {file.name for file in files} == {
        "airflow-passwords.json", "airflow-fernet-key", "airflow-secret-key", "airflow-jwt-secret",
    }  # fmt: skip
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert access.password(settings) == json.loads(access.passwords_file(settings).read_text())["admin"]


def test_no_secret_is_in_a_command_line(settings: Settings) -> None:
    environment = configuration.environment(settings)
    secrets = [value for name, value in environment.items() if name.endswith(("_KEY", "_SECRET", "_CONN"))]
    commands = " ".join(" ".join((*process.command, *process.environment.values())) for process in declare(settings))
    assert secrets
    assert not [secret for secret in secrets if secret in commands]


def test_it_can_be_left_out(settings: Settings) -> None:
    def names(airflow: bool) -> set[str]:
        return {process.name for process in declare(settings.model_copy(update={"airflow": airflow}))}

    assert names(airflow=True) - names(airflow=False) == {
        "airflow-api-server", "airflow-scheduler", "airflow-dag-processor",
    }  # fmt: skip
