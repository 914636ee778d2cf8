"""Whether whoever describes pages answers, from what the store has of them."""

from datetime import timedelta

import pytest

from api.pipeline.pages import SILENT_S, known_pages, unknown_pages
from freshet.store.context import Known
from freshet.store.page_standing import Standing
from tests.documents import NOON

LONG = timedelta(seconds=SILENT_S + 61)
SHORT = timedelta(seconds=SILENT_S - 1)


def status(waiting: int, failing: int = 0, waited: timedelta | None = None, answered: timedelta | None = None) -> str:
    """With so many pages, the oldest of which has waited, and the last answer was given, so long ago."""
    known = Known(9, 3, 1, waiting, failing, None if waited is None else NOON - waited, 0)
    return known_pages(Standing(known, None if answered is None else NOON - answered, None), NOON).status


@pytest.mark.parametrize(
    ("waiting", "failing", "waited", "answered"),
    [
        (0, 0, None, None),
        (0, 0, None, LONG),
        (5, 0, SHORT, None),
        (5, 0, SHORT, LONG),
        (5, 0, LONG, SHORT),
        (5, 5, LONG, LONG),
    ],
)
def test_it_is_well_as_long_as_somebody_is_answered_or_nobody_waits_long(
    waiting: int, failing: int, waited: timedelta | None, answered: timedelta | None
) -> None:
    assert status(waiting, failing, waited, answered) == "ok"


@pytest.mark.parametrize("answered", [None, LONG])
def test_an_outage_that_no_page_is_to_blame_for_is_told_by_what_waits(answered: timedelta | None) -> None:
    assert status(5, 1, LONG, answered) == "nobody has answered for 6 minutes"


def test_a_store_that_cannot_be_asked_says_why() -> None:
    assert unknown_pages("Postgres does not answer").status == "Postgres does not answer"
