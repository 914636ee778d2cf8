"""What a question after others is searched by."""

import pytest

from api.answers.follow_ups import leans, searches

GLACIERS = "What is changing about glaciers?"


@pytest.mark.parametrize(
    "question",
    [
        *("Who did that?", "And why?", "What about it?", "Why was that reverted?", "Did they add a source?"),
        *("When were those deleted?", "Who is he?", "Show more"),
    ],
)
def test_a_question_that_cannot_stand_alone_leans(question):
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [GLACIERS, "bridges", "the bridge that collapsed in Genoa", "Qui a modifié cette page sur Paris ?", "地震"],
)
def test_a_question_with_words_of_its_own_does_not(question):
    assert not leans(question)


@pytest.mark.parametrize(
    ("question", "earlier", "searched"),
    [
        (GLACIERS, [], [GLACIERS]),
        ("Who did that?", [], ["Who did that?"]),
        ("Who did that?", [GLACIERS], [f"{GLACIERS} Who did that?", "Who did that?"]),
        ("And bridges?", [GLACIERS], ["And bridges?", f"{GLACIERS} And bridges?"]),
        ("And why?", ["Bridges?", GLACIERS, "Who did that?"], [f"{GLACIERS} Who did that? And why?", "And why?"]),
        ("And why?", ["Who?", "What?"], ["Who? What? And why?", "And why?"]),
    ],
)
def test_a_question_is_searched_with_what_it_leans_on(question, earlier, searched):
    assert searches(question, earlier) == searched
