"""Settings: validated, frozen, and every bad value named as the user wrote it."""

import re

import pytest
from pydantic import ValidationError

from freshet.errors import ConfigError
from freshet.settings import CHECKOUT, PREFIX, Settings, load_settings


def test_a_bad_value_stops_the_start_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESHET_RATE", "-1")
    monkeypatch.setenv("FRESHET_SOURCE", "nowhere")
    with pytest.raises(ConfigError, match=r"(?s)FRESHET_SOURCE: .*FRESHET_RATE: "):
        load_settings()


def test_a_recording_without_a_file_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="FRESHET_RECORDING"):
        load_settings(source="recording")


def test_a_bad_value_is_not_repeated_because_it_may_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESHET_KAFKA_PORT", "hunter2")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings().rate = 5  # type: ignore[misc]


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESHET_GOLD_NAMESPACES", "0, 4")
    monkeypatch.setenv("FRESHET_GOLD_WIKIS", "enwiki,!simplewiki")
    rule = load_settings().document_rule
    assert rule.namespaces == (0, 4)
    assert rule.wikis == ("enwiki", "!simplewiki")


def test_env_example_names_every_setting_with_its_default_and_nothing_else() -> None:
    example = (CHECKOUT / ".env.example").read_text()
    written = dict(re.findall(rf"^#? ?({PREFIX}[A-Z_]+)=(.*)$", example, flags=re.MULTILINE))
    assert list(written) == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name, field in Settings.model_fields.items():
        text = written[f"{PREFIX}{name.upper()}"]
        assert Settings.model_validate({name: text} if text else {}).model_dump()[name] == getattr(Settings(), name)
        assert str(field.description) in example
