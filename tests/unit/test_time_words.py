"""Words of time in a question become a window, and only where they mean one."""

from datetime import UTC, datetime, timedelta

import pytest

from api import time_words

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)  # a Wednesday
TODAY = datetime(2026, 11, 25, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("question", "since", "until", "rest"),
    [
        ("What changed about rivers in the last hour?", NOW - HOUR, None, "What changed about rivers?"),
        ("In the past 30 minutes, who edited Berlin?", NOW - HOUR / 2, None, "who edited Berlin?"),
        ("edits on chess over the last three days", NOW - 3 * DAY, None, "edits on chess"),
        ("football edits last week?", NOW - 7 * DAY, None, "football edits?"),
        ("Who was reverted since Monday?", TODAY - 2 * DAY, None, "Who was reverted?"),
        ("since wednesday: bridges", TODAY, None, ": bridges"),
        ("volcanoes since 2026-11-01", datetime(2026, 11, 1, tzinfo=UTC), None, "volcanoes"),
        ("what is new about opera today", TODAY, None, "what is new about opera"),
        ("Today, what about opera?", TODAY, None, "what about opera?"),
        ("which films changed yesterday?", TODAY - DAY, TODAY, "which films changed?"),
        ("new since yesterday on ships", TODAY - DAY, None, "new on ships"),
    ],
)
def test_words_of_time_are_a_window_and_leave_the_question(question, since, until, rest):
    window = time_words.read(question, NOW)
    assert window is not None
    assert (window.since, window.until, window.rest) == (since, until, rest)
    assert window.words.lower() in question.lower()


@pytest.mark.parametrize(
    "question",
    [
        "What is changing about climate change?",
        "Last Week Tonight with John Oliver",
        "who wrote for USA Today",
        "the song Yesterday by the Beatles",
        'edits of "in the last hour"',
        "since 2026-13-45 nothing",
        "the last minutemen of Lexington",
        "",
    ],
)
def test_names_and_quotations_are_no_window(question):
    assert time_words.read(question, NOW) is None
