"""HTML out of what strangers wrote: it is text wherever it stands."""

from html.parser import HTMLParser
from typing import Any

import pytest

from api.models.examples import ANSWER, CITATION
from api.models.pages import PAGE
from api.models.pipeline import _EXAMPLE as PIPELINE
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
    ours = ("https://en.wikipedia.org/", "https://www.wikidata.org/wiki/Q")
    assert all(str(link).startswith(ours) for link in found.links), found.links
    return found


def turn(**given: Any) -> dict[str, Any]:
    return {"question": "What about bridges?", "answer": {**ANSWER, **given}}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_text_on_a_card_and_in_a_trace(name: str) -> None:
    text = HOSTILE[name]
    citation = {**CITATION, **dict.fromkeys(("title", "section", "comment", "doc_id", "wiki", "user_kind"), text)}
    page = {**dict.fromkeys(PAGE, text), "item_url": PAGE["item_url"]}
    citation["page"] = page
    evil = {"page_url": "javascript:alert(1)", "diff_url": "https://en.wikipedia.org.evil.example/"}
    evil["page"] = {**page, "item_url": "javascript:alert(1)"}
    asked = turn(citations=[{**citation, **evil}, citation])
    asked["question"] = text
    cards = assert_ours(render.sources([asked]))
    assert len(cards.links) == 3
    assert_ours(render.grounds({**asked, "answer": {**asked["answer"], "degraded": {"model": text}}}, Filters([text])))
    traced = {**TRACE["page"], "known": page, **dict.fromkeys(("status", "error", "moved_to"), text)}
    assert_ours(render.trace({**TRACE, "gold": {**TRACE["gold"], "title": text}, "replay": text, "page": traced}))
    assert_ours(render.problem(text, text))


def test_the_cards_of_the_newest_answer_are_first_and_open() -> None:
    html = render.sources([turn(), {**turn(), "question": "And rivers?"}])
    assert html.index("And rivers?") < html.index("What about bridges?")
    assert html.count("<details") == 2
    assert html.count("open>") == 1
    assert 'id="source-1-1"' in html
    assert 'id="source-0-1"' in html


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "Maputo–Katembe bridge: suspension bridge in Mozambique (Wikidata, CC0)"),
        ({"label": None}, "suspension bridge in Mozambique (Wikidata, CC0)"),
        ({"description": None}, "Maputo–Katembe bridge (Wikidata, CC0)"),
        ({"origin": "simulated", "licence": None, "item_url": None}, "suspension bridge in Mozambique (simulated)"),
    ],
)
def test_a_card_says_what_its_page_is_and_who_says_so(given: dict[str, Any], told: str) -> None:
    shown = Elements(render.sources([turn(citations=[{**CITATION, "page": {**PAGE, **given}}])]))
    assert told in " ".join(shown.text.split())
    assert (PAGE["item_url"] in shown.links) is ("origin" not in given)
    assert "CC0" not in render.sources([turn(citations=[{**CITATION, "page": None}])])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "The page: known, asked about 2026-11-23 09:02:11 UTC."),
        ({"stale": True, "moved_to": "Elsewhere"}, "old by now, moved to Elsewhere."),
        ({"status": "waits to be asked about", "known": None, "fetched_at": None}, "waits to be asked about."),
        ({"waiting_since": "2026-11-23T10:00:00Z"}, "to be asked about since 2026-11-23 10:00:00 UTC"),
        ({"attempts": 2, "error": "HTTP 503"}, "2 times in vain: HTTP 503."),
    ],
)
def test_a_trace_says_how_its_page_came_to_be_known(given: dict[str, Any], told: str) -> None:
    shown = Elements(render.trace({**TRACE, "page": {**TRACE["page"], **given}})).text
    assert told in " ".join(shown.split())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "3,904 of 5,120 pages described, 1,180 without a description, 36 to be asked about, the first since"),
        ({}, "1 of them asked about in vain: HTTP 503."),
        ({"waiting": 0, "failing": 0}, "1,180 without a description."),
        ({"status": "Postgres does not answer", "pages": 0}, "What pages are about: Postgres does not answer."),
        ({"status": "nobody has answered for 7 minutes"}, "nobody has answered for 7 minutes; 3,904 of 5,120 pages"),
    ],
)
def test_the_pipeline_says_how_many_pages_are_known_and_how_many_wait(given: dict[str, Any], told: str) -> None:
    seen = {**PIPELINE, "pages": {**PIPELINE["pages"], **given}}
    assert told in " ".join(Elements(render.pipeline(seen)).text.split())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_a_knowledge_base_answers_in_its_stead_is_text_as_well(text: str) -> None:
    pages = {**PIPELINE["pages"], "status": "ok", "error": text}
    shown = Elements(render.pipeline({**PIPELINE, "pages": pages}))
    assert not shown.handlers
    assert not {"script", "img", "svg", "iframe"} & shown.names
    assert not [link for link in shown.links if "evil" in str(link)]


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


def test_of_a_removed_document_is_shown_when_and_why_and_nothing_else() -> None:
    gone = {"doc_id": "one", "status": "removed", "removed_at": "2026-11-23T11:02:10Z", "reason": "<b>hidden</b>"}
    shown = render.trace(gone)
    assert "Removed" in shown
    assert "2026-11-23 11:02:10 UTC" in shown
    assert "&lt;b&gt;hidden&lt;/b&gt;" in shown
    assert "layers" not in shown
