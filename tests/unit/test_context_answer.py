"""What is read of an answer, whatever it is."""

import json
from typing import Any

import pytest

from context.answer import read
from context.failures import NotAnsweredError, Outcome
from freshet.contract.pages import Description, Page

ETNA = Page("itwiki", "Etna")
MOUNT_ETNA = Page("enwiki", "Mount Etna")
FUJI = Page("jawiki", "富士山")


def entity(**given: Any) -> dict[str, Any]:
    return {
        "type": "item",
        "id": "Q16990",
        "labels": {"en": {"language": "en", "value": "Mount Etna"}},
        "descriptions": {"en": {"language": "en", "value": "volcano in Sicily"}},
        "sitelinks": {"itwiki": {"site": "itwiki", "title": "Etna", "badges": []}},
        **given,
    }


def answer(**entities: Any) -> bytes:
    return json.dumps({"entities": entities, "success": 1}).encode()


def said(body: bytes, *asked: Page, languages: tuple[str, ...] = ("en",)) -> dict[Page, Description | None]:
    return dict(read(body, set(asked), languages))


def failure(body: bytes) -> NotAnsweredError:
    with pytest.raises(NotAnsweredError) as caught:
        said(body, ETNA)
    return caught.value


def test_one_item_answers_for_all_the_pages_that_it_is_about() -> None:
    links = {wiki: {"site": wiki, "title": title} for wiki, title in (ETNA, MOUNT_ETNA)}
    description = Description("Q16990", "Mount Etna", "volcano in Sicily", "en")
    assert said(answer(Q16990=entity(sitelinks=links)), ETNA, MOUNT_ETNA, FUJI) == {
        ETNA: description,
        MOUNT_ETNA: description,
    }


def test_a_page_without_an_item_is_told_from_one_that_was_not_answered() -> None:
    missing = {"-1": {"site": "jawiki", "title": "富士山", "missing": ""}}
    assert said(answer(**missing), ETNA, FUJI) == {FUJI: None}


def test_a_title_that_nobody_asked_about_is_no_answer() -> None:
    other = entity(sitelinks={"itwiki": {"site": "itwiki", "title": "Vesuvio"}})
    assert said(answer(Q16990=other, **{"-1": {"site": "itwiki", "title": "X", "missing": ""}}), ETNA) == {}


def test_a_title_that_was_normalized_is_the_one_that_was_asked_about() -> None:
    for told in (
        {"n": {"from": "etna", "to": "Etna"}},
        {"from": "etna", "to": "Etna"},
        [{"from": "etna", "to": "Etna"}],
    ):
        body = json.dumps({"entities": {"Q16990": entity()}, "normalized": told}).encode()
        assert list(said(body, Page("itwiki", "etna"))) == [Page("itwiki", "etna")]


def test_the_first_language_that_there_is_counts_and_is_told() -> None:
    texts = {"de": {"language": "de", "value": "Vulkan auf Sizilien"}}
    (found,) = said(answer(Q16990=entity(descriptions=texts)), ETNA, languages=("en", "de")).values()
    assert found == Description("Q16990", "Mount Etna", "Vulkan auf Sizilien", "de")


def test_an_item_of_which_nothing_is_said_is_one_all_the_same() -> None:
    # PHP writes an object without members as an array
    (found,) = said(answer(Q16990=entity(labels=[], descriptions=[])), ETNA).values()
    assert found == Description("Q16990", None, None, None)


def test_texts_of_strangers_are_cut_and_made_plain() -> None:
    hostile = {"en": {"language": "en", "value": "a\x00b \ud800 c\u202e\t\n  d\x1f" + "é" * 300}}
    (found,) = said(answer(Q16990=entity(descriptions=hostile)), ETNA).values()
    assert found is not None
    assert found.description is not None
    assert found.description.startswith("a\N{REPLACEMENT CHARACTER}b ? c d é")
    assert len(found.description) == 250
    found.description.encode()


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", Outcome.BROKEN),
        (b"<html>", Outcome.BROKEN),
        (b"\xff\xfe", Outcome.BROKEN),
        (b"[" * 100_000, Outcome.BROKEN),
        (b"[1]", Outcome.BROKEN),
        (b'"text"', Outcome.BROKEN),
        (answer(Q16990=entity())[:-30], Outcome.BROKEN),
        (answer(Q16990=7), Outcome.BROKEN),
        (answer(Q16990=entity(id=7)), Outcome.BROKEN),
        (answer(Q16990=entity(id="P31")), Outcome.BROKEN),
        (answer(Q16990=entity(sitelinks="Etna")), Outcome.BROKEN),
        (answer(Q16990=entity(sitelinks={"itwiki": "Etna"})), Outcome.BROKEN),
        (answer(Q16990=entity(descriptions={"en": {"value": 7}})), Outcome.BROKEN),
        (answer(Q16990=entity(descriptions={"en": "volcano"})), Outcome.BROKEN),
        (b'{"entities": "none"}', Outcome.BROKEN),
        (b'{"error": "maxlag"}', Outcome.BROKEN),
        (b'{"error": {"code": "maxlag", "info": "Waiting", "lag": 6.1}}', Outcome.MAXLAG),
        (b'{"error": {"code": "readonly"}}', Outcome.READONLY),
        (b'{"error": {"code": "ratelimited"}}', Outcome.THROTTLED),
        (b'{"error": {"code": "params-illegal"}}', Outcome.ILLEGAL),
        (b'{"error": {"code": ["odd"]}}', Outcome.ERROR),
        (b'{"error": {}}', Outcome.ERROR),
    ],
)
def test_what_is_no_answer_is_a_failure_with_its_reason(body: bytes, outcome: Outcome) -> None:
    error = failure(body)
    assert error.outcome is outcome
    assert len(str(error)) > len(outcome) + 2


def test_links_without_a_site_or_a_title_are_about_no_page() -> None:
    odd = entity(sitelinks={"itwiki": {"site": "itwiki", "title": ["Etna"]}, "x": {}})
    assert said(answer(Q16990=odd, **{"-1": {"missing": ""}}), ETNA) == {}
