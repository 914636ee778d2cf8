"""Who describes pages, and whose word it is."""

from pathlib import Path
from typing import Any

import pytest

from freshet.context_source import WIKIDATA_URL, Origin, needs_stand_in, origin_of, stand_in_origin, url_of
from freshet.settings import load_settings

FILE = Path("/descriptions.ndjson")
STAND_IN = "http://127.0.0.1:18094/w/api.php"
RECORDING = {"source": "recording", "recording": Path("/recording.ndjson")}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"source": "live"}, WIKIDATA_URL),
        ({"source": "auto"}, WIKIDATA_URL),
        ({"source": "live", "context_descriptions": FILE}, WIKIDATA_URL),
        ({"source": "simulated"}, STAND_IN),
        (RECORDING, None),
        ({**RECORDING, "context_descriptions": FILE}, STAND_IN),
        ({"source": "live", "context_source": "none"}, None),
        ({"source": "simulated", "context_source": "wikidata"}, WIKIDATA_URL),
        ({"source": "live", "context_source": "https://example.org/api"}, "https://example.org/api"),
    ],
)
def test_it_goes_by_the_setting_and_else_by_where_edits_come_from(given: dict[str, Any], url: str | None) -> None:
    settings = load_settings(**given)
    assert url_of(settings) == url
    assert needs_stand_in(settings) is (url == STAND_IN)


def test_nobody_but_wikidata_is_called_so() -> None:
    assert origin_of(WIKIDATA_URL, None) == origin_of(WIKIDATA_URL, "simulated") == "Wikidata"
    assert origin_of(STAND_IN, "Wikidata") == "127.0.0.1"
    assert origin_of("https://kb.example.org/w/api.php", None) == "kb.example.org"


def test_the_stand_in_says_what_it_is() -> None:
    assert origin_of(STAND_IN, "simulated") == "simulated" == stand_in_origin(load_settings(source="simulated"))
    recorded = stand_in_origin(load_settings(source="simulated", context_descriptions=FILE))
    assert origin_of(STAND_IN, recorded) == recorded == Origin.RECORDED == "recorded descriptions"
