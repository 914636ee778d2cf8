"""What narrows a search: in widgets, in the API's words, in an address."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from ui.filters import ALL_EDITS, ANY_TIME, MINOR, PEOPLE, WINDOWS, Filters, from_query

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = st.lists(st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable()), max_size=3)


def test_filters_that_narrow_nothing_are_not_sent() -> None:
    assert Filters().body(NOON) == {}
    assert Filters().words() == []


def test_labels_become_the_apis_own_words() -> None:
    filters = Filters(["enwiki"], ["de"], "last hour", ["registered", "unregistered"], "no minor edits")
    assert filters.body(NOON) == {
        "wikis": ["enwiki"],
        "languages": ["de"],
        "user_kinds": ["registered", "ip"],
        "since": "2026-11-23T11:00:00+00:00",
        "minor": False,
    }
    assert filters.words() == [
        "enwiki", "language de", "last hour", "by registered or unregistered", "no minor edits",
    ]  # fmt: skip


@given(
    question=st.text(min_size=1, max_size=100).filter(lambda text: "\ud800" not in text and text.isprintable()),
    filters=st.builds(
        Filters,
        wikis=NAMES,
        languages=NAMES,
        window=st.sampled_from(list(WINDOWS)),
        people=st.lists(st.sampled_from(list(PEOPLE)), unique=True).map(
            lambda chosen: [label for label in PEOPLE if label in chosen]
        ),
        minor=st.sampled_from(list(MINOR)),
    ),
)
def test_an_address_brings_back_the_question_and_its_filters(question: str, filters: Filters) -> None:
    query = filters.query(question)
    assert from_query(parse_qsl(query.removeprefix("?"))) == (question, filters)


def test_an_address_of_somebody_elses_making_narrows_nothing_by_what_is_unknown() -> None:
    pairs = [("q", "x" * 5_000), ("window", "last century"), ("minor", "'; --"), ("people", "bots"), ("admin", "1")]
    question, filters = from_query([*pairs, *[("wiki", "w" * 500)] * 100])
    assert len(question) == 1_000
    assert (filters.window, filters.minor, filters.people) == (ANY_TIME, ALL_EDITS, [])
    assert len(filters.wikis) == 50
    assert {len(wiki) for wiki in filters.wikis} == {100}
