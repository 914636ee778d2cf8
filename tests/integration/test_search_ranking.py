"""What goes before what, and what is shown of many edits of a page, against a real Postgres."""

from datetime import timedelta

import pytest

from freshet.store.migrate import migrate
from tests.api_builders import insert
from tests.documents import NOON, document
from tests.integration.test_search_hybrid import respond, search

pytestmark = pytest.mark.integration


@pytest.fixture
def store(database: str) -> str:
    migrate(database)
    return database


def edits(title: str, count: int, **given: object) -> list[dict[str, object]]:
    """Edits of one page, an hour apart; their ids are the title and a number, the last is the newest."""
    return [
        document(
            doc_id=f"{title}-{number}",
            title=title,
            comment=f"change {number}",
            event_time=NOON + timedelta(hours=number),
            revision_id=100 + number,
            **given,
        )
        for number in range(count)
    ]


def test_of_a_page_with_several_edits_the_newest_is_shown_and_the_others_are_named(store):
    insert(store, *edits("Bridge", 4), document(doc_id="tunnel", title="Tunnel"))
    first = respond(store, "bridge", collapse=True)["results"][0]
    assert first["doc_id"] == "Bridge-3"
    assert first["others"] == ["Bridge-2", "Bridge-1", "Bridge-0"]


def test_a_page_stands_where_its_best_edit_does(store):
    insert(
        store,
        *edits("Bridge", 2),
        document(doc_id="tunnel", title="Tunnel", event_time=NOON + timedelta(hours=9)),
        like={"Bridge-0": "river crossing", "Bridge-1": "something else", "tunnel": "a river"},
    )
    assert search(store, "river crossing", collapse=True) == ["Bridge-1", "tunnel"]


def test_every_edit_is_reached_without_collapsing(store):
    insert(store, *edits("Bridge", 4))
    page = [{"wiki": "enwiki", "title": "Bridge"}]
    assert len(search(store, "bridge", pages=page)) == 4


def test_texts_that_differ_in_digits_only_are_collapsed_too(store):
    films = [
        document(doc_id=str(year), title=f"{year} in film", event_time=NOON + timedelta(days=year)) for year in (1, 2)
    ]
    insert(store, *films, document(doc_id="other wiki", title="3 in film", wiki="simplewiki"))
    results = respond(store, "film", collapse=True)["results"]
    assert {result["doc_id"]: result["others"] for result in results} == {"2": ["1"], "other wiki": []}


def test_many_edits_of_one_page_do_not_crowd_out_the_other_pages(store):
    pages = [
        document(doc_id=f"page {number}", title=f"Bridge of {letter}") for number, letter in enumerate("abcdefghi")
    ]
    insert(store, *edits("Bridge", 300), *pages)
    assert len(search(store, "bridge", collapse=True)) == 10


@pytest.mark.parametrize(
    ("revert", "reverted"),
    [
        ({"revert_kind": "undo", "reverted_revision_id": 101}, {"Bridge-1"}),
        ({"revert_kind": "restore", "restored_revision_id": 100}, {"Bridge-1", "Bridge-2"}),
        ({"revert_kind": "rollback", "reverted_user": "vandal"}, {"Bridge-1", "Bridge-2"}),
        ({"revert_kind": "rollback", "reverted_user": "somebody"}, set()),
        ({"revert_kind": "undo", "reverted_revision_id": 101, "wiki": "dewiki"}, set()),
        ({"revert_kind": "undo", "reverted_revision_id": 101, "title": "Tunnel"}, set()),
        ({}, set()),
    ],
)
def test_an_edit_that_a_later_one_undid_is_marked(store, revert, reverted):
    first, second, third = edits("Bridge", 3, user_name="vandal")
    later = {"doc_id": "revert", "title": "Bridge", "user_name": "patrol", "revision_id": 110, **revert}
    insert(store, first | {"user_name": "author"}, second, third, document(**later))
    results = respond(store, "bridge")["results"]
    assert {result["doc_id"] for result in results if result["reverted"]} == reverted


def test_a_rollback_goes_no_further_back_than_to_somebody_elses_edit(store):
    first, second, third = edits("Bridge", 3, user_name="vandal")
    later = document(
        doc_id="revert",
        title="Bridge",
        revision_id=110,
        revert_kind="rollback",
        reverted_user="vandal",
        user_name="patrol",
    )
    insert(store, first, second | {"user_name": "author"}, third, later)
    results = respond(store, "bridge")["results"]
    assert {result["doc_id"] for result in results if result["reverted"]} == {"Bridge-2"}


def test_a_reverted_edit_goes_behind_one_that_stands(store):
    standing, undone = edits("Bridge", 2)
    later = document(doc_id="revert", title="Bridge", revision_id=110, revert_kind="undo", reverted_revision_id=101)
    insert(store, standing, undone, later, like=dict.fromkeys(("Bridge-0", "Bridge-1"), "bridge") | {"revert": "other"})
    assert search(store, "bridge")[:2] == ["Bridge-0", "Bridge-1"]


def test_of_two_that_fit_nearly_alike_the_newer_goes_first_as_the_half_life_asks(store):
    insert(
        store,
        document(doc_id="better", title="Bridge", event_time=NOON - timedelta(days=3)),
        document(doc_id="newer", title="Bridges", event_time=NOON),
        like={
            "better": "old stone bridge near the river in summer",
            "newer": "old stone bridge near the river in snow fog",
        },
    )
    assert search(store, "old stone bridge near the river in summer")[0] == "better"
    assert search(store, "stone river bridge")[0] == "newer"


def test_a_word_that_is_not_wanted_keeps_a_document_out_that_is_near_in_meaning(store):
    insert(
        store,
        document(doc_id="film", title="Harbor film"),
        document(doc_id="port", title="Port"),
        like={"film": "harbor"},
    )
    assert "film" not in search(store, "harbor -film")


def test_an_edit_of_years_ago_is_found(store):
    insert(
        store, document(doc_id="old", title="Bridge", event_time=NOON - timedelta(days=4000)), document(title="Tunnel")
    )
    assert search(store, "bridge")[0] == "old"
