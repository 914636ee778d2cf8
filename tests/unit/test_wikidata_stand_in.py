"""The stand-in for Wikidata takes what Wikibase takes, and answers as it does."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from freshet.context_source import PATH, Origin
from freshet.contract.pages import Page
from freshet.errors import ConfigError
from freshet.settings import load_settings
from local.eventstreams.corpus import pages
from local.wikidata import api
from local.wikidata.app import Wikidata
from local.wikidata.items import Item, Knowledge, knowledge
from tests.serving import listening

VOLCANO = Item("Q16990", "Mount Etna", "volcano in Sicily")
ITEMS = {Page("itwiki", "Etna"): VOLCANO, Page("enwiki", "Mount Etna"): VOLCANO}


def asked(**given: str) -> dict[str, Any]:
    usual = {"action": "wbgetentities", "languages": "en", "props": "labels|descriptions|sitelinks"}
    return api.answer({**usual, **given}, ITEMS)


def code(said: dict[str, Any]) -> str:
    return str(said["error"]["code"])


def test_pairs_are_answered_and_what_is_not_known_is_missing_by_negative_ids() -> None:
    said = asked(sites="itwiki|enwiki|enwiki|dewiki", titles="Etna|Mount Etna|Nowhere|Ätna")["entities"]
    assert set(said) == {"Q16990", "-2", "-3"}
    assert said["-2"] == {"site": "enwiki", "title": "Nowhere", "missing": ""}
    assert {link["title"] for link in said["Q16990"]["sitelinks"].values()} == {"Etna", "Mount Etna"}
    assert said["Q16990"]["descriptions"]["en"]["value"] == "volcano in Sicily"


def test_only_what_is_asked_for_is_told() -> None:
    assert "sitelinks" not in asked(sites="itwiki", titles="Etna", props="labels")["entities"]["Q16990"]
    said = asked(sites="itwiki", titles="Etna", languages="de", sitefilter="dewiki")["entities"]["Q16990"]
    assert (said["labels"], said["descriptions"], said["sitelinks"]) == ([], [], {})


def test_requests_that_wikibase_refuses_are_refused() -> None:
    assert code(asked(sites="enwiki", titles="|".join("a" * 51))) == "toomanyvalues"
    assert code(asked(sites="itwiki|enwiki", titles="A|B|C")) == "params-illegal"
    assert code(asked(sites="itwiki", titles="A|B", normalize="1")) == "params-illegal"
    assert code(asked(sites="itwiki")) == "param-missing"
    assert code(asked(action="query")) == "badvalue"
    one_site = {"action": "wbgetentities", "sites": "itwiki|enwiki", "titles": "A|B"}
    assert code(api.answer(one_site, ITEMS, pairs=False)) == "params-illegal"


def test_one_title_may_be_normalized_and_values_may_have_another_separator() -> None:
    said = asked(sites="itwiki", titles="etna", normalize="1")
    assert said["normalized"] == {"n": {"from": "etna", "to": "Etna"}}
    assert "Q16990" in said["entities"]
    assert asked(sites="itwiki|enwiki", titles="\x1fA|B\x1fC")["entities"]["-1"]["title"] == "A|B"


def test_the_simulation_describes_its_own_pages_and_says_that_it_is_simulated() -> None:
    known = knowledge(load_settings(source="simulated"))
    topics = {Page(page.wiki.name, page.title) for page in pages()}
    assert known.origin is Origin.SIMULATED
    assert set(known.items) < topics
    assert len(known.items) > 0.9 * len(topics)
    foreign = [item for page, item in known.items.items() if page.wiki not in ("enwiki", "simplewiki")]
    assert sum(item.label is not None for item in foreign) > 0.8 * len(foreign)


def test_a_file_is_read_and_one_that_cannot_be_is_named(tmp_path: Path) -> None:
    file = tmp_path / "descriptions.ndjson"
    rows = [{"wiki": "itwiki", "title": "Etna", "description": "volcano", "item_id": "Q1"},
            {"wiki": "itwiki", "title": "Bozza", "description": ""}]  # fmt: skip
    file.write_text("\n".join(map(json.dumps, rows)))
    settings = load_settings(context_descriptions=file)
    assert knowledge(settings) == Knowledge({Page("itwiki", "Etna"): Item("Q1", None, "volcano")}, Origin.RECORDED)
    file.write_text('{"wiki": "itwiki"}')
    with pytest.raises(ConfigError, match=r"descriptions\.ndjson"):
        knowledge(settings)


def test_it_refuses_who_has_no_name_and_can_be_told_to_fail_while_it_runs() -> None:
    with listening(Wikidata(Knowledge(ITEMS, Origin.SIMULATED))) as (_, address):
        query = {"action": "wbgetentities", "sites": "itwiki", "titles": "Etna", "props": "labels", "languages": "en"}
        with httpx.Client(base_url=address, trust_env=False) as client:
            assert client.get(PATH, params=query, headers={"User-Agent": ""}).status_code == 403
            answer = client.get(PATH, params=query)
            assert answer.headers["Freshet-Origin"] == "simulated"
            assert answer.json()["success"] == 1
            assert client.get("/-/fault", params={"fault": "429"}).json()["fault"] == "429"
            refused = client.get(PATH, params=query)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
            assert client.get("/-/fault", params={"fault": "maxlag"}).is_success
            assert client.get(PATH, params=query).json()["error"]["lag"] > 5
            assert client.get("/-/fault", params={"fault": "flood"}).status_code == 400
            assert client.get("/-/counts").json() == {"requests": 4, "most_at_once": 1}
