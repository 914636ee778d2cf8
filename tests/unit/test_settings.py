"""Settings: validated, frozen, and every bad value named as the user wrote it."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from freshet.environment import environment_of
from freshet.errors import ConfigError
from freshet.settings import CHECKOUT, PREFIX, Settings, load_settings
from local import running


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


@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_a_model_s_server_is_read_from_the_names_that_its_client_has_as_well(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    assert not load_settings().has_model
    monkeypatch.setenv(f"{prefix}OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert load_settings().has_model
    monkeypatch.setenv(f"{prefix}OPENAI_API_KEY", "hunter2")
    settings = load_settings()
    assert (settings.openai_base_url, settings.openai_api_key.get_secret_value()) == (
        "http://127.0.0.1:9/v1",
        "hunter2",
    )


def test_a_setting_of_ours_goes_before_the_client_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("FRESHET_OPENAI_BASE_URL", "http://127.0.0.1:2/v1")
    assert load_settings().openai_base_url == "http://127.0.0.1:2/v1"


def test_a_server_that_is_no_address_stops_the_start_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESHET_OPENAI_BASE_URL", "somewhere")
    with pytest.raises(ConfigError, match=r"^FRESHET_OPENAI_BASE_URL: "):
        load_settings()


def test_every_process_gets_the_key_and_no_file_does(tmp_path: Path) -> None:
    settings = load_settings(state_dir=tmp_path, openai_api_key="hunter2", openai_base_url="http://127.0.0.1:9/v1")
    running.remember(settings)
    assert environment_of(settings)["FRESHET_OPENAI_API_KEY"] == "hunter2"
    kept = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert any("http://127.0.0.1:9/v1" in text for text in kept)
    assert not any("hunter2" in text for text in kept)


def ports(settings: Settings) -> dict[str, int]:
    return {name: value for name, value in settings.model_dump().items() if name.endswith("_port")}


def test_one_setting_moves_every_port_of_a_second_stack_but_those_that_are_given() -> None:
    first, second = ports(load_settings()), ports(load_settings(port_offset=1000, kafka_port=5555))
    assert second.pop("kafka_port") == 5555
    assert second == {name: port + 1000 for name, port in first.items() if name != "kafka_port"}
    assert not set(first.values()) & set(second.values())


def test_processes_of_a_moved_stack_get_its_ports_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = load_settings(port_offset=1000)
    for name, value in environment_of(moved).items():
        monkeypatch.setenv(name, value)
    assert load_settings().api_port == moved.api_port


@pytest.mark.parametrize("offset", ["-1", "a", "99999"])
def test_an_offset_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, offset: str) -> None:
    monkeypatch.setenv("FRESHET_PORT_OFFSET", offset)
    with pytest.raises(ConfigError, match="FRESHET_PORT_OFFSET"):
        load_settings()
