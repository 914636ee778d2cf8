"""Each process has the secrets that it needs in its environment, and no others."""

from pathlib import Path

import pytest

from freshet.settings import Settings, load_settings
from local import entrusted, guard
from local.stack import declare
from local.supervision import guarded

STRANGERS = ("kafka", "postgres", "eventstreams", "wikidata", "producer", "prometheus", "alertmanager", "spark-master")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(state_dir=tmp_path, cluster=True, kafka_bootstrap_servers="broker:9092", indexers=2)


@pytest.mark.parametrize("name", STRANGERS)
def test_who_needs_no_secret_has_none(name: str) -> None:
    withheld = entrusted.withheld(name)
    assert {"FRESHET_POSTGRES_DSN", "FRESHET_OPENAI_API_KEY", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY"} <= set(
        withheld
    )
    assert not entrusted.given(name)


def test_every_secret_but_those_of_the_command_is_given_to_somebody(settings: Settings) -> None:
    given = {secret for process in declare(settings) for secret in entrusted.given(process.name)}
    # Alertmanager has its address in its configuration
    assert set(entrusted.known()) - given == {"ALERTMANAGER_WEBHOOK_URL"}


def test_the_key_of_the_model_is_the_api_s_alone(settings: Settings) -> None:
    names = {process.name for process in declare(settings)}
    assert {name for name in names if "OPENAI_API_KEY" not in entrusted.withheld(name)} == {"api"}


def test_the_supervisor_passes_all_on() -> None:
    assert not entrusted.withheld("supervisor")


def test_the_guard_is_told_names_and_no_values(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hush-hush")
    (kafka,) = [process for process in declare(settings) if process.name == "producer"]
    command = guarded(kafka, settings)
    assert "OPENAI_API_KEY" in command[command.index("--without") + 1].split(",")
    assert "hush-hush" not in " ".join(command)


def test_a_variable_is_forgotten_however_it_is_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard.os, "environ", {"freshet_Api_Key": "a", "FRESHET_API_KEY": "b", "PATH": "c"})
    guard.forget(["FRESHET_API_KEY"])
    assert guard.os.environ == {"PATH": "c"}
