"""Finding edits by what their page is about, against a real Postgres."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pgvector import HalfVector

from freshet.contract.pages import Description, Page, page_text, text_hash
from freshet.store import context, ranking
from freshet.store.migrate import migrate
from tests.api_builders import BagOfWords, insert
from tests.documents import NOON, document
from tests.integration.test_search_hybrid import search

pytestmark = pytest.mark.integration


@pytest.fixture
def store(database: str) -> str:
    migrate(database)
    return database


def describe(conninfo: str, said: Mapping[tuple[str, str], str]) -> None:
    """Have it known what pages are about, with the vectors of that."""
    now = datetime.now(UTC)
    pages = {Page(*page): Description("Q1", None, description, "en") for page, description in said.items()}
    with psycopg.connect(conninfo) as connection:
        context.note_seen(connection, dict.fromkeys(pages, context.Seen(now, now)))
        context.describe(connection, context.Answered(pages, "Wikidata", timedelta(days=1), timedelta(days=1)))
        for page, description in said.items():
            text = page_text(page[1], None, description) or ""
            connection.execute(
                "INSERT INTO page_embeddings_bag_of_words VALUES (%s, %s::halfvec) ON CONFLICT DO NOTHING",
                (text_hash(text), HalfVector(BagOfWords().embed([description])[0]).to_text()),
            )


def edit(doc_id: str, title: str, **given: Any) -> dict[str, Any]:
    return document(doc_id=doc_id, title=title, text=f"{title}. corrected", comment="corrected", **given)


def test_an_edit_in_another_language_is_found_by_what_its_page_is_about(store):
    fuji = edit("fuji", "富士山", wiki="jawiki", language="ja")
    insert(store, fuji, edit("other", "Kirkegata"), like={"other": "a volcano somewhere"})
    assert search(store, "volcano in japan", limit=1) == ["other"]
    describe(store, {("jawiki", "富士山"): "volcano in japan"})
    assert search(store, "volcano in japan", limit=1) == ["fuji"]


def test_every_edit_of_a_near_page_is_found_newest_first_and_not_without_end(store):
    edits = [edit(f"fuji {n}", "富士山", event_time=NOON + timedelta(minutes=n)) for n in range(ranking.OF_A_PAGE + 2)]
    insert(store, *edits, like={one["doc_id"]: f"word{one['doc_id'][5:]}" for one in edits})
    describe(store, {("enwiki", "富士山"): "volcano in japan"})
    newest = [one["doc_id"] for one in reversed(edits)]
    assert search(store, "volcano in japan", limit=ranking.OF_A_PAGE) == newest[: ranking.OF_A_PAGE]


def test_the_better_of_the_edit_and_its_page_counts(store):
    insert(
        store,
        edit("by itself", "Bridge"),
        edit("by its page", "富士山"),
        like={"by itself": "volcano in japan", "by its page": "something else"},
    )
    describe(store, {("enwiki", "Bridge"): "crossing of a river", ("enwiki", "富士山"): "volcano in japan"})
    assert set(search(store, "volcano in japan", limit=2)) == {"by itself", "by its page"}


@pytest.mark.parametrize("few", [0, ranking.FEW], ids=["walked", "compared"])
def test_filters_narrow_the_edits_of_near_pages_too(store, monkeypatch, few):
    monkeypatch.setattr(ranking, "FEW", few)
    insert(
        store,
        edit("old", "富士山", wiki="jawiki", event_time=NOON - timedelta(days=3)),
        edit("new", "富士山", wiki="jawiki"),
        edit("elsewhere", "Mount Fuji", wiki="enwiki"),
        *(edit(f"other {n}", f"Other {n}", wiki="jawiki") for n in range(5)),
    )
    describe(store, {("jawiki", "富士山"): "volcano in japan", ("enwiki", "Mount Fuji"): "volcano in japan"})
    since = (NOON - timedelta(days=1)).isoformat()
    assert search(store, "volcano in japan", limit=1, wikis=["jawiki"], since=since) == ["new"]
    assert search(store, "volcano in japan", limit=2, wikis=["jawiki"]) == ["new", "old"]


def test_a_page_of_which_nothing_is_known_any_more_is_found_by_its_edits_alone(store):
    insert(store, edit("fuji", "富士山"), edit("other", "Volcano in Japan"))
    describe(store, {("enwiki", "富士山"): "volcano in japan erupting"})
    assert search(store, "volcano in japan erupting", limit=1) == ["fuji"]
    with psycopg.connect(store) as connection:
        context.forget(connection, [Page("enwiki", "富士山")])
    assert search(store, "volcano in japan erupting", limit=1) == ["other"]
