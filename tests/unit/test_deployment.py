"""`freshet init` makes what compose.yaml needs, and replaces nothing unasked."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from freshet.settings import CHECKOUT, Settings
from local import deployment


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def made(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in (folder / deployment.SECRETS).iterdir()}


def lines(folder: Path) -> dict[str, str]:
    text = (folder / deployment.ENV).read_text().splitlines()
    return dict(line.split("=", maxsplit=1) for line in text if line and not line.startswith("#"))


def test_secrets_are_random_and_their_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        deployment.initialise(folder)
    assert mode(one / ".secrets") == 0o700
    # whatever the user is that a container runs as
    assert {mode(file) for file in (one / ".secrets").iterdir()} == {0o644}
    assert mode(one / ".env") == 0o600
    filled = {name: secret for name, secret in made(one).items() if secret}
    assert all(len(secret) >= 24 and secret != made(other)[name] for name, secret in filled.items())
    assert len(set(filled.values())) == len(filled)


def test_the_store_is_reached_with_the_password_that_postgres_gets(tmp_path: Path) -> None:
    deployment.initialise(tmp_path)
    secrets = made(tmp_path)
    assert (
        secrets["freshet_postgres_dsn"] == f"postgresql://freshet:{secrets['postgres_password']}@postgres:5432/freshet"
    )


def test_no_secret_is_in_env(tmp_path: Path) -> None:
    deployment.initialise(tmp_path)
    text = (tmp_path / ".env").read_text()
    assert not [secret for secret in made(tmp_path).values() if secret and secret in text]


def test_what_is_there_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    deployment.initialise(tmp_path)
    before = made(tmp_path)
    with pytest.raises(FileExistsError, match=r"\.secrets/postgres_password"):
        deployment.initialise(tmp_path)
    assert made(tmp_path) == before
    deployment.initialise(tmp_path, force=True)
    assert made(tmp_path)["postgres_password"] != before["postgres_password"]


def test_an_env_of_somebody_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FRESHET_CONTACT=me@example.org\n")
    with pytest.raises(FileExistsError, match=r"\.env"):
        deployment.initialise(tmp_path)
    assert not (tmp_path / ".secrets").exists()


def test_env_says_what_is_started_and_where_it_is_published(tmp_path: Path) -> None:
    deployment.initialise(tmp_path)
    assert lines(tmp_path) == {"COMPOSE_PROFILES": "core,airflow,monitoring", "PUBLISH_ON": "127.0.0.1"}


def test_a_simulation_and_what_is_left_out_are_told_to_the_others(tmp_path: Path) -> None:
    deployment.initialise(tmp_path, simulated=True, without=[deployment.Part.AIRFLOW])
    given = lines(tmp_path)
    assert given["COMPOSE_PROFILES"] == "core,monitoring,simulated"
    assert given["FRESHET_AIRFLOW_URL"] == ""
    settings = Settings(_env_file=tmp_path / ".env")
    assert settings.source == "simulated"
    assert settings.stream_url == deployment.SIMULATED["FRESHET_STREAM_URL"]


def test_a_machine_with_nothing_of_freshet_installed_can_make_them(tmp_path: Path) -> None:
    done = subprocess.run(
        # -S: without any installed package
        [sys.executable, "-S", "-m", "local.deployment", "--without", "monitoring"],
        cwd=tmp_path, env={"PYTHONPATH": str(CHECKOUT), "PATH": os.defpath}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "docker compose up" in done.stdout
    assert lines(tmp_path)["COMPOSE_PROFILES"] == "core,airflow"
    assert set(made(tmp_path)) == set(deployment.generated())
