"""Who says the same again is heard once."""

import pytest

from api.answers.voices import once
from tests.api_builders import found

LONG = "The bridge is closed for ever, tell everybody"


def heard(*edits: dict[str, str | None]) -> list[tuple[str, list[str]]]:
    given = [found(**{"doc_id": f"{number}", "title": "A", **edit}) for number, edit in enumerate(edits)]
    return [(one.doc_id, one.others) for one in once(given)]


@pytest.mark.parametrize("again", ["typo", "TYPO", "t y p o 2", "typo!!!", "ty\u200bpo"])
def test_the_same_words_on_a_page_are_one_however_they_look(again: str) -> None:
    assert heard({"comment": "typo"}, {"comment": again}) == [("0", ["1"])]


def test_a_long_remark_of_one_user_on_several_pages_is_one() -> None:
    said = {"comment": LONG, "user_name": "Sock"}
    assert heard({**said, "title": "A"}, {**said, "title": "B"}, {**said, "title": "C"}) == [("0", ["1", "2"])]


def test_a_short_remark_and_that_of_another_user_count_on_each_page() -> None:
    short = {"comment": "added a source", "user_name": "Ada"}
    assert len(heard({**short, "title": "A"}, {**short, "title": "B"})) == 2
    assert len(heard({"comment": LONG, "user_name": "Ada"}, {"comment": LONG, "user_name": "Bo", "title": "B"})) == 2
    assert len(heard({"comment": LONG, "user_name": None}, {"comment": LONG, "user_name": None, "title": "B"})) == 2


def test_edits_without_words_are_all_heard() -> None:
    assert heard({"comment": ""}, {"comment": ""}, {"comment": "123"}) == [("0", []), ("1", []), ("2", [])]


def test_what_repeats_a_repeat_belongs_to_the_first() -> None:
    edits = [
        {"comment": LONG, "user_name": "Sock", "title": "A"},
        {"comment": LONG, "user_name": "Sock", "title": "B"},
        {"comment": LONG, "user_name": "Puppet", "title": "B"},
        {"comment": LONG, "user_name": "Puppet", "title": "C"},
    ]
    assert heard(*edits) == [("0", ["1", "2", "3"])]
