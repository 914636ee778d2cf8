"""HTML out of what strangers wrote: it is text wherever it stands."""

from html.parser import HTMLParser
from typing import Any

import pytest

from api.models.examples import ANSWER, CITATION
from api.models.traces import _EXAMPLE as TRACE
from tests.hostile import HOSTILE
from ui import render
from ui.fields import layers
from ui.filters import Filters

OURS = {
    "details", "summary", "q", "ol", "li", "h2", "h3", "span", "bdi", "p", "time-ago", "a", "button", "div", "strong",
    "b", "asked-question", "section", "small", "dl", "dt", "dd", "i", "del", "code", "pre",
}  # fmt: skip


class Elements(HTMLParser):
    """The names of the elements, their links, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str | None] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_ours(html: str) -> Elements:
    found = Elements(html)
    assert found.names <= OURS, found.names - OURS
    assert not found.handlers
    assert all(str(link).startswith("https://en.wikipedia.org/") for link in found.links), found.links
    return found


def turn(**given: Any) -> dict[str, Any]:
    return {"question": "What about bridges?", "answer": {**ANSWER, **given}}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_text_on_a_card_and_in_a_trace(name: str) -> None:
    text = HOSTILE[name]
    citation = {**CITATION, **dict.fromkeys(("title", "section", "comment", "doc_id", "wiki", "user_kind"), text)}
    evil = {"page_url": "javascript:alert(1)", "diff_url": "https://en.wikipedia.org.evil.example/"}
    asked = turn(citations=[{**citation, **evil}, citation])
    asked["question"] = text
    cards = assert_ours(render.sources([asked]))
    assert len(cards.links) == 2
    assert_ours(render.grounds({**asked, "answer": {**asked["answer"], "degraded": {"model": text}}}, Filters([text])))
    assert_ours(render.trace({**TRACE, "gold": {**TRACE["gold"], "title": text}, "replay": text}))
    assert_ours(render.problem(text, text))


def test_the_cards_of_the_newest_answer_are_first_and_open() -> None:
    html = render.sources([turn(), {**turn(), "question": "And rivers?"}])
    assert html.index("And rivers?") < html.index("What about bridges?")
    assert html.count("<details") == 2
    assert html.count("open>") == 1
    assert 'id="source-1-1"' in html
    assert 'id="source-0-1"' in html


def test_an_edit_that_was_undone_says_so() -> None:
    html = render.sources([turn(citations=[{**CITATION, "reverted": True}])])
    assert "reverted</span>" in html


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"outcome": "refused", "citations": []}, "No edit supports an answer."),
        ({"answerer": "extractive", "degraded": {"model": "the model took too long"}}, "the model took too long"),
        ({"degraded": {"vector": "no embedding"}}, "vector: no embedding"),
        ({"sources": ["simulated"]}, "Simulated edits, not real ones."),
        ({"sources": ["recording"]}, "Recorded real edits, replayed and not live."),
        ({}, "from your question"),
    ],
)
def test_an_answer_says_what_it_rests_on(given: dict[str, Any], told: str) -> None:
    assert told in Elements(render.grounds(turn(**given), Filters())).text


def test_a_trace_marks_what_each_step_added_changed_and_left_behind() -> None:
    gold, silver, bronze, raw = layers(
        {
            **TRACE,
            "silver": {"status": "found", "row": {"comment": "Undid", "user_kind": "ip", "domain": "en.wikipedia.org"}},
            "bronze": {"status": "found", "row": {"partition": 2, "value": "{}"}},
        }
    )
    assert {field.name: field.mark for field in silver.fields} == {
        "comment": "changed", "user_kind": "added", "domain": "dropped",
    }  # fmt: skip
    assert "Special:Diff" in str(silver.fields[0].before)
    assert next(field.mark for field in gold.fields if field.name == "doc_id") == "added"
    assert [field.name for field in bronze.fields] == ["partition"]
    assert [field.name for field in raw.fields] == ["meta.id", "meta.dt"]


@pytest.mark.parametrize("payload", ["no JSON", "[" * 100_000, "3", "{}"])
def test_a_payload_that_is_no_event_is_shown_as_it_is(payload: str) -> None:
    raw = layers({**TRACE, "raw": {**TRACE["raw"], "payload": payload}})[-1]
    assert [field.name for field in raw.fields] == ["payload"]
    render.trace({**TRACE, "raw": {**TRACE["raw"], "payload": payload}})


def test_a_layer_that_is_not_there_says_why() -> None:
    found = {**TRACE, "silver": {"status": "not yet in the lake, which commits every 30 s", "row": None}}
    assert "not yet in the lake" in render.trace(found)
