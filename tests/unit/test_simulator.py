"""The simulated stream."""

import json
from collections import Counter
from typing import Any

import pytest

from local.eventstreams.corpus import UNTRUSTED, pages
from local.eventstreams.simulator import Simulation, describe, entry
from local.eventstreams.source import Kind

COUNT = 6000
NOW_MS = 1_795_393_856_154


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    """All entries but the malformed, in order."""
    readable = (i for i in range(COUNT) if describe(i, 1).kind is not Kind.MALFORMED)
    return [json.loads(entry(i, 1, NOW_MS + i)) for i in readable]


def test_an_entry_is_the_same_every_time_and_another_for_another_seed() -> None:
    assert entry(17, 1, NOW_MS) == entry(17, 1, NOW_MS)
    assert entry(17, 1, NOW_MS) != entry(17, 2, NOW_MS)


def test_an_entry_is_what_its_description_says() -> None:
    for index in range(COUNT):
        kind, event_id = describe(index, 1)
        if kind is Kind.MALFORMED:
            with pytest.raises(ValueError, match=r".+"):
                json.loads(entry(index, 1, NOW_MS))
        else:
            meta = json.loads(entry(index, 1, NOW_MS))["meta"]
            assert (meta["id"], meta["domain"] == "canary") == (event_id, kind is Kind.CANARY)


def test_ids_are_unique() -> None:
    ids = [described.id for index in range(COUNT) if (described := describe(index, 1)).id]
    assert len(set(ids)) == len(ids)


def test_the_time_is_the_one_asked_for(events: list[dict[str, Any]]) -> None:
    assert events[0]["timestamp"] == NOW_MS // 1000
    assert any(event["meta"]["dt"].endswith(".154Z") for event in events[:1000])


def test_the_mix_is_that_of_wikimedia(events: list[dict[str, Any]]) -> None:
    types, wikis = Counter(event["type"] for event in events), Counter(event["wiki"] for event in events)
    assert set(types) == {"edit", "new", "log", "categorize", "142"}
    assert len(wikis) >= 24
    assert 0.4 < sum(event["bot"] for event in events) / len(events) < 0.5
    assert wikis["wikidatawiki"] + wikis["commonswiki"] > 0.4 * len(events)
    kinds = Counter(describe(index, 1).kind for index in range(COUNT))
    assert kinds[Kind.CANARY] > 0
    assert 0 < kinds[Kind.MALFORMED] < 0.005 * COUNT


def test_the_payload_traps_are_in_it(events: list[dict[str, Any]]) -> None:
    assert {type(event["log_params"]) for event in events if event["type"] == "log"} == {dict, list, str}
    assert any(isinstance(event.get("id"), str) for event in events)
    assert any(event.get("minor", 0) is None for event in events)
    assert any("length" not in event for event in events if event["type"] == "edit")
    assert len({event["comment"] for event in events} & set(UNTRUSTED)) > 3
    assert any(event["user"].startswith("~2026-") for event in events)


def test_an_undo_names_a_revision_and_the_user_who_made_it(events: list[dict[str, Any]]) -> None:
    by_revision = {event["revision"]["new"]: event for event in events if "revision" in event}
    undone = 0
    for event in events:
        if event["comment"].startswith("Undid revision"):
            target = by_revision[event["revision"]["old"]]
            assert f"[[Special:Contributions/{target['user']}|" in event["comment"]
            assert str(target["revision"]["new"]) in event["comment"]
            assert target["wiki"] == event["wiki"]
            undone += 1
    assert undone > 3


def test_links_lead_to_the_wiki_of_the_event(events: list[dict[str, Any]]) -> None:
    for event in events:
        assert event["title_url"].startswith(f"https://{event['server_name']}/wiki/")
        assert event["meta"]["domain"] in (event["server_name"], "canary")
        assert " " not in event["title_url"]


def test_there_are_many_pages_in_many_scripts() -> None:
    assert sum(page.wiki.name == "enwiki" for page in pages()) >= 60
    assert len({page.wiki.name for page in pages()}) >= 20
    assert len({(page.wiki.name, page.title) for page in pages()}) == len(pages())


def test_a_simulation_has_no_end_and_is_named_by_its_seed() -> None:
    simulation = Simulation(7)
    assert (simulation.total, simulation.identity) == (None, "simulated:7")
    assert simulation.data(5, NOW_MS) == entry(5, 7, NOW_MS)


def test_pages_are_moved_and_deleted_and_those_that_are_deleted_were_drafts(events: list[dict[str, Any]]) -> None:
    logged = [event for event in events if event["type"] == "log"]
    moved = [event for event in logged if event["log_type"] == "move"]
    deleted = [event for event in logged if event["log_type"] == "delete"]
    assert moved
    assert all(event["log_params"]["target"] != event["title"] for event in moved)
    titles = {page.title for page in pages()}
    assert {event["title"] for event in moved} <= titles
    assert deleted
    assert not {event["title"] for event in deleted} & titles


def test_most_pages_say_what_they_are_about() -> None:
    assert all(page.description is None or len(page.description) < 90 for page in pages())
    assert 0 < sum(page.description is None for page in pages()) < 10
