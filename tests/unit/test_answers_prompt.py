"""The prompt: edits are data in it, whatever they say."""

import re
import unicodedata

import pytest

from api.answers import prompt
from api.models.answers import Turn
from tests.api_builders import described_as, evidence, found
from tests.hostile import ASKED, HOSTILE, edits_of


def asked(*edits, **given):
    """The edits as the model reads them, and the question."""
    said = prompt.messages(evidence(*edits, **given))[-1]["content"]
    return edits_of(said), ASKED.fullmatch(said)[3]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_of_an_edit_leaves_its_line(text):
    hostile = found(title=text, section=text, comment=text, **described_as(text, text))
    edits, question = asked(hostile, found(title="Other"))
    assert [edit["n"] for edit in edits] == [1, 2]
    assert edits[1]["title"] == "Other"
    assert question == "What is changing?"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_texts_are_short_and_nothing_in_them_is_hidden(text):
    ((edit,), _) = asked(found(title=text, section=text, comment=text, **described_as(text, text)))
    for part in (edit["title"], edit["section"], edit["summary"], edit["page"]):
        assert len(part) <= prompt.LETTERS
        assert not [letter for letter in part if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
        assert not re.search("[\ufe00-\ufe0f\U000e0100-\U000e01ef]", part)


def test_what_an_edit_is_stays_readable_in_every_script():
    ((edit,), _) = asked(
        found(title="Søren 地震", section="", comment='added "sources"', bytes_delta=-5, revert_kind="undo")
    )
    assert edit == {
        "n": 1,
        "title": "Søren 地震",
        "wiki": "enwiki",
        "summary": 'added "sources"',
        "time": "2026-11-23T12:00:00Z",
        "user": "registered",
        "bytes": -5,
        "undoes": "undo",
    }


@pytest.mark.parametrize(
    ("label", "description", "said"),
    [
        ("Mount Fuji", "volcano in Japan", "Mount Fuji: volcano in Japan"),
        (None, "volcano in Japan", "volcano in Japan"),
        ("Mount Fuji", None, "Mount Fuji"),
    ],
)
def test_the_model_reads_what_a_page_is(label, description, said):
    ((edit,), _) = asked(found(title="富士山", **described_as(label, description)))
    assert edit["page"] == said
    assert list(edit)[:4] == ["n", "title", "wiki", "page"]


def test_nothing_is_said_of_a_page_of_which_nothing_is_known():
    ((edit,), _) = asked(found(page_item_id="Q1", page_origin="Wikidata"))
    assert "page" not in edit


def test_the_number_around_the_edits_is_another_each_time():
    first, second = (prompt.messages(evidence(found()))[-1]["content"].split("\n")[0] for _ in range(2))
    assert first != second


def test_the_instructions_are_the_same_for_everybody_and_hold_nothing_of_the_edits():
    first = prompt.messages(evidence(found(title="One")))[0]
    second = prompt.messages(evidence(found(title="Two"), question="Why?"))[0]
    assert first == second
    assert first["role"] == "system"
    assert "$" not in first["content"]


def test_the_conversation_stands_before_the_question():
    turns = [Turn(role="user", content="And bridges?"), Turn(role="assistant", content="None.")]
    said = prompt.messages(evidence(found(), conversation=turns))
    assert [message["role"] for message in said] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in said[1:3]] == ["And bridges?", "None."]


def test_a_question_of_placeholders_stays_as_it_is():
    assert asked(found(), question="$edits $nonce ${question} $$")[1] == "$edits $nonce ${question} $$"
