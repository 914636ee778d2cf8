"""What the status says of what pages are about."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from freshet.settings import load_settings
from freshet.store.context import Known
from freshet.telemetry import metrics
from local import source, stack
from local.describing import paused_by, sentence

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FILE = Path("/descriptions.ndjson")
RECORDING = {"source": "recording", "recording": Path("/recording.ndjson")}
GIVEN = {"kafka_bootstrap_servers": "broker:9092", "postgres_dsn": "host=there"}


def test_the_line_has_what_is_known_what_waits_and_what_is_done_about_it() -> None:
    known = Known(9, 4, 2, 3, 1, NOW - timedelta(seconds=90), 1)
    assert sentence(known, "asking is paused: maxlag", NOW) == (
        "4 described; 2 without a description; 3 waiting, the longest for 90 s; 1 without a vector yet;"
        " asking is paused: maxlag"
    )
    assert sentence(Known(0, 0, 0, 0, 0, None, 0), "asking", NOW) == (
        "0 described; 0 without a description; 0 waiting; asking"
    )


def test_a_pause_is_known_by_the_metrics() -> None:
    metrics.PAUSED.clear()
    assert paused_by(generate_latest().decode()) == []
    metrics.PAUSED.labels("maxlag").set(1)
    assert paused_by(generate_latest().decode()) == ["maxlag"]
    metrics.PAUSED.clear()


@pytest.mark.parametrize(
    ("given", "said", "names"),
    [
        ({"source": "live"}, "Wikidata, https://www.wikidata.org/w/api.php", {"context"}),
        ({"source": "simulated"}, "SIMULATED", {"context", "wikidata"}),
        ({**RECORDING, "context_descriptions": FILE}, "RECORDED ones of /descriptions", {"context", "wikidata"}),
        (RECORDING, "none", set()),
        ({"source": "simulated", "context_source": "none"}, "none", set()),
        ({"source": "live", "context_source": "https://kb.example.org/api"}, "https://kb.example.org/api", {"context"}),
    ],
)
def test_a_start_says_who_describes_pages_and_starts_what_that_takes(
    given: dict[str, Any], said: str, names: set[str]
) -> None:
    settings = load_settings(**given, **GIVEN)
    assert said in source.described_by(settings)
    started = {process.name: process for process in stack.declare(settings)}
    assert {"context", "wikidata"} & set(started) == names
    assert ("context" in stack.scraped(settings)) is ("context" in names)
    if "context" in names:
        assert not started["context"].awaited
        assert started["context"].niceness > 0
