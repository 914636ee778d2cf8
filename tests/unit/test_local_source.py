"""Which stream is read, and that it is always said."""

import socket
from pathlib import Path

from freshet.settings import Settings, Source, load_settings
from local import source
from tests.conftest import free_settings


def test_auto_simulates_when_the_live_stream_cannot_be_reached_and_says_so(tmp_path: Path) -> None:
    closed = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{closed.getsockname()[1]}/stream"
    closed.close()
    settings, sentence = source.resolve(free_settings(tmp_path, source="auto", stream_url=url))
    assert settings.source is Source.SIMULATED
    assert "SIMULATED" in sentence
    assert url in sentence


def test_a_stand_in_takes_the_place_of_the_stream_with_a_name_of_its_own(tmp_path: Path) -> None:
    settings, _ = source.resolve(free_settings(tmp_path, source="simulated", simulator_seed=7))
    assert settings.stream_url == f"http://127.0.0.1:{settings.eventstreams_port}/v2/stream/recentchange"
    other, _ = source.resolve(free_settings(tmp_path, source="simulated", simulator_seed=8))
    assert settings.stream_id
    assert settings.stream_id != other.stream_id


def test_the_live_stream_is_taken_as_it_is_when_it_is_asked_for() -> None:
    asked: Settings = load_settings(source="live")
    settings, sentence = source.resolve(asked)
    assert settings == asked
    assert "live" in sentence
