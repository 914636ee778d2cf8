"""From a model's JSON to text: every claim with marks that hold, nothing without, however the JSON is cut."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.answers.grounding import Grounding, MalformedError
from api.answers.prompt import MOST_CLAIMS

SOURCES = 12
PARTS = [
    "The mean ",
    "rose ",
    "www.x ",
    "[1] ",
    "[",
    "]",
    "\\",
    '"',
    "{",
    "漢字",
    "😀",
    "\u202e",
    "<b>",
    " ",
    "é",
    "\n",
]
claims = st.lists(
    st.fixed_dictionaries(
        {
            "citations": st.lists(st.integers(-1, SOURCES + 2), max_size=4),
            "text": st.lists(st.sampled_from(PARTS), max_size=8).map("".join),
        }
    ),
    max_size=MOST_CLAIMS + 2,
)


def grounded(*pieces: str, sources: int = SOURCES) -> tuple[str, Grounding]:
    grounding = Grounding(sources)
    text = "".join([*map(grounding.feed, pieces), grounding.end()])
    return text, grounding


def written(*given: dict[str, Any]) -> str:
    return json.dumps({"claims": given})


def claim(*citations: Any, text: Any = "It rose.") -> dict[str, Any]:
    return {"citations": list(citations), "text": text}


@settings(max_examples=200, deadline=None)
@given(claims, st.booleans(), st.booleans(), st.lists(st.integers(0, 400), max_size=12))
def test_however_the_json_is_cut_the_same_text_comes_out(given_claims, escaped, text_first, cuts):
    ordered = [dict(reversed(one.items())) if text_first else one for one in given_claims]
    text = json.dumps({"claims": ordered}, ensure_ascii=escaped)
    ends = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(ends)]
    whole, letters, cut = grounded(text), grounded(*text), grounded(*pieces)
    assert whole[0] == letters[0] == cut[0]
    assert whole[1].cited == letters[1].cited == cut[1].cited
    assert (whole[1].removed, whole[1].dropped) == (cut[1].removed, cut[1].dropped)


@settings(deadline=None)
@given(claims)
def test_every_line_ends_in_marks_that_hold_and_there_are_no_others(given_claims):
    text, grounding = grounded(written(*given_claims))
    lines = text.splitlines()
    for line in lines:
        words, marks = re.fullmatch(r"(.+?) ((?:\[\d+\])+)", line).groups()
        assert "[" not in words
        assert {int(number) for number in re.findall(r"\d+", marks)} <= set(range(1, SOURCES + 1))
    assert len(lines) + grounding.dropped == len(given_claims)
    assert sorted(grounding.cited) == sorted({int(number) for number in re.findall(r"\[(\d+)\]", text)})


@pytest.mark.parametrize(
    ("given_claims", "text", "removed", "dropped"),
    [
        ([claim(1)], "It rose. [1]", 0, 0),
        ([claim(2, 1, 2, 99, 0, -1)], "It rose. [2][1]", 4, 0),
        ([claim(99), claim(1)], "It rose. [1]", 1, 1),
        ([claim(), claim(1)], "It rose. [1]", 0, 1),
        ([claim("1", 1.0, True, None, 3)], "It rose. [3]", 4, 0),
        ([claim(1, text="  "), claim(2)], "It rose. [2]", 0, 1),
        ([claim(1, text="Rose [7][8]."), claim(2)], "Rose. [1]\nIt rose. [2]", 0, 0),
        ([claim(1)] * (MOST_CLAIMS + 1), "\n".join(["It rose. [1]"] * MOST_CLAIMS), 0, 1),
        ([], "", 0, 0),
    ],
)
def test_what_holds_stays_and_the_rest_is_counted(given_claims, text, removed, dropped):
    shown, grounding = grounded(written(*given_claims))
    assert (shown, grounding.removed, grounding.dropped) == (text, removed, dropped)


def test_no_letter_of_a_claim_is_shown_before_its_citations_are_known():
    grounding = Grounding(sources=12)
    assert grounding.feed('{"claims": [{"citations": [1') == ""
    assert grounding.feed('2], "te') == ""
    assert grounding.feed('xt": "It rose again') == "It rose"
    assert grounding.feed('."}]}') + grounding.end() == " again. [12]"


def test_a_claim_without_a_citation_that_holds_is_never_shown_in_part():
    grounding = Grounding(sources=1)
    assert grounding.feed('{"claims": [{"citations": [2], "text": "It rose and rose and') == ""


def test_a_text_before_its_citations_is_held_until_the_claim_is_complete():
    grounding = Grounding(sources=2)
    assert grounding.feed('{"claims": [{"text": "It rose and rose", "citations": [1, 2') == ""
    assert grounding.feed(']}, {"text"') == "It rose and rose [1][2]"


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "Sure! It rose [1].", "[]", '"text"', "null", "{}", '{"answers": []}', '{"claims": {}}'),
        *('{"claims": ["It rose."]}', '{"claims": [{"citations": [1]}]}', '{"claims": [{"text": "It rose."}]}'),
        *('{"claims": [{"citations": 1, "text": "x"}]}', '{"claims": [{"citations": [1], "text": ["x"]}]}'),
        *('{"claims": [{"citations": [1], "text": null}]}', '{"claims": [{"citations": [1], "text": "It ro'),
        *(
            '{"claims": []} and more',
            '```json\n{"claims": []}\n```',
            '{"claims": [{"citations": [1], "text": "\\ud800"}]}',
        ),
        "[" * 5000,
    ],
)
@pytest.mark.parametrize("by_letter", [False, True])
def test_what_is_not_the_json_that_was_asked_for_is_malformed(text, by_letter):
    with pytest.raises(MalformedError):
        grounded(*(text if by_letter else [text]))


def test_an_answer_without_an_end_is_malformed():
    with pytest.raises(MalformedError):
        grounded('{"claims": [{"citations": [1], "text": "', *["on and on " * 100] * 100, '"}]}')


@pytest.mark.parametrize(
    "text",
    [
        '{"claims": [{"citations": [1], "text": "It rose"}], "claims": []}',
        '{"claims": [{"citations": [1], "text": "It rose", "text": "Another"}]}',
    ],
)
def test_what_was_shown_cannot_be_taken_back(text):
    with pytest.raises(MalformedError):
        grounded(*text)
