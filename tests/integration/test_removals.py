"""Removals on a real database: in any order, delivered again, late, beside another writer, and lifted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection

from freshet.contract.removals import Kind, Origin, target
from freshet.store import embeddings, removals, repository
from freshet.store import removed as in_lake
from freshet.store.embeddings import VectorTable
from freshet.store.removals import ANSWER_REMOVED, Removal
from freshet.store.repository import Batch, Made, Written
from tests.documents import NOON, gold
from tests.indexer_builders import TextEmbedder

pytestmark = pytest.mark.integration

EMBEDDER = TextEmbedder()
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def table(connection: Connection) -> VectorTable:
    return embeddings.add_embedding_model(connection, EMBEDDER.model_id, EMBEDDER.dimensions)


@pytest.fixture
def other(store: str) -> Iterator[Connection]:
    """Another indexer's connection."""
    with repository.connect(store) as connection:
        yield connection


def page(title: str = "Snow", **given: Any) -> Removal:
    return Removal(Kind.PAGE, "enwiki", [title], **{"until": LATER, "event_id": str(uuid4()), **given})


def write(connection: Connection, table: VectorTable, *changes: dict[str, Any] | Removal) -> Written:
    """One batch of an indexer."""
    documents = [change for change in changes if not isinstance(change, Removal)]
    texts = {document["content_hash"]: document["text"] for document in documents}
    vectors = dict(zip(texts, EMBEDDER.embed(list(texts.values())), strict=True)) if texts else {}
    gone = [change for change in changes if isinstance(change, Removal)]
    return repository.write(connection, Batch(documents, [Made(table, vectors)], removals=gone))


def titles(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT title FROM documents ORDER BY title").fetchall()]


def removed(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT event_id FROM removed_events ORDER BY 1").fetchall()]


def vectors(connection: Connection, table: VectorTable, *documents: dict[str, Any]) -> set[str]:
    return embeddings.embedded(connection, table, [document["content_hash"] for document in documents])


def test_a_deleted_page_goes_with_its_vectors_and_leaves_no_name(connection: Connection, table: VectorTable) -> None:
    snow, ice = gold(title="Snow", user_name="Ada"), gold(title="Ice")
    write(connection, table, snow, ice)
    assert write(connection, table, page()).removed == 1
    assert titles(connection) == ["Ice"]
    assert removed(connection) == [snow["doc_id"]]
    assert vectors(connection, table, snow, ice) == {ice["content_hash"]}
    kept = connection.execute("SELECT to_jsonb(r)::text FROM removals r").fetchall()
    kept += connection.execute("SELECT to_jsonb(r)::text FROM removed_events r").fetchall()
    assert not [row for (row,) in kept if "Snow" in row or "Ada" in row]


@pytest.mark.parametrize(
    ("kind", "wiki", "name"),
    [
        (Kind.REVISION, "enwiki", "200"),
        (Kind.USER, "enwiki", "Ada"),
        (Kind.USER, "", "Ada"),
        (Kind.USER, "enwiki", "Bo"),
        (Kind.EVENT, "", "snow-1"),
        (Kind.PAGE, "enwiki", "Snow"),
    ],
)
def test_what_a_removal_names_goes_and_is_kept_out_when_it_comes_again(
    connection: Connection, table: VectorTable, kind: Kind, wiki: str, name: str
) -> None:
    snow = gold(doc_id="snow-1", title="Snow", revision_id=200, user_name="Ada", reverted_user="Bo")
    ice = gold(title="Ice", revision_id=201, user_name="Cy")
    removal = Removal(kind, wiki, [name], LATER, Origin.HAND)
    write(connection, table, snow, ice)
    assert removals.preview(connection, removal) == {"documents": 1, "answers": 0}
    write(connection, table, removal)
    assert titles(connection) == ["Ice"]
    written = write(connection, table, snow, ice)
    assert (written.removed, written.unchanged, written.inserted) == (1, 1, {})
    assert titles(connection) == ["Ice"]
    assert vectors(connection, table, snow, ice) == {ice["content_hash"]}


def test_a_page_of_another_wiki_stays(connection: Connection, table: VectorTable) -> None:
    write(connection, table, gold(title="Snow", wiki="dewiki"))
    assert write(connection, table, page()).removed == 0
    assert titles(connection) == ["Snow"]


def test_a_page_made_anew_is_found_by_its_new_edits_whatever_the_order(
    connection: Connection, table: VectorTable
) -> None:
    old = gold(title="Snow", event_time=NOON)
    new = gold(title="Snow", event_time=LATER + timedelta(seconds=1))
    written = write(connection, table, old, page(), new)
    assert set(written.inserted) == {new["doc_id"]}
    assert (written.removed, removed(connection)) == (1, [old["doc_id"]])
    # one of before, late
    assert write(connection, table, gold(title="Snow", event_time=LATER)).removed == 1
    assert titles(connection) == ["Snow"]


def test_a_removal_delivered_again_changes_nothing(connection: Connection, table: VectorTable) -> None:
    write(connection, table, gold(title="Snow"))
    removal = page()
    write(connection, table, removal)
    before = connection.execute("SELECT xmin::text, * FROM removals").fetchall()
    write(connection, table, removal, removal)
    assert connection.execute("SELECT xmin::text, * FROM removals").fetchall() == before


def test_what_is_shown_again_may_be_written_and_is_no_longer_removed(
    connection: Connection, table: VectorTable
) -> None:
    snow = gold(title="Snow")
    hiding = page()
    write(connection, table, snow, hiding)
    write(connection, table, page(until=LATER + timedelta(hours=1), lifts=True))
    assert titles(connection) == []
    write(connection, table, snow)
    assert (titles(connection), removed(connection)) == (["Snow"], [])
    # the earlier word, delivered again
    write(connection, table, hiding)
    assert titles(connection) == ["Snow"]


def test_the_newest_word_counts_when_it_comes_first(connection: Connection, table: VectorTable) -> None:
    write(connection, table, page(until=LATER + timedelta(hours=1), lifts=True))
    write(connection, table, page())
    write(connection, table, gold(title="Snow"))
    assert titles(connection) == ["Snow"]


def test_the_stream_does_not_lift_what_was_removed_by_hand(connection: Connection, table: VectorTable) -> None:
    write(connection, table, page(origin=Origin.HAND, event_id=None))
    write(connection, table, page(until=LATER + timedelta(hours=1), lifts=True))
    assert write(connection, table, gold(title="Snow")).removed == 1


def test_of_several_revisions_one_may_be_shown_again(connection: Connection, table: VectorTable) -> None:
    write(connection, table, Removal(Kind.REVISION, "enwiki", ["200", "201"], LATER, event_id="a"))
    again = Removal(Kind.REVISION, "enwiki", ["201"], LATER + timedelta(hours=1), lifts=True, event_id="b")
    write(connection, table, again)
    rows = [gold(title=f"Snow {number}", revision_id=number) for number in (200, 201)]
    assert write(connection, table, *rows).removed == 1
    assert titles(connection) == ["Snow 201"]


def test_two_writers_cannot_pass_each_other(connection: Connection, other: Connection, table: VectorTable) -> None:
    """While a document is being written nobody removes, and the other way round: neither overlooks the other."""
    connection.execute("SET lock_timeout = '200ms'")
    with other.transaction():
        removals.share(other)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            write(connection, table, page())
    with other.transaction():
        removals.enter(other, [page()])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            write(connection, table, gold(title="Snow"))
    assert write(connection, table, gold(title="Snow")).removed == 1


def test_writers_do_not_wait_for_each_other(connection: Connection, other: Connection, table: VectorTable) -> None:
    connection.execute("SET lock_timeout = '200ms'")
    with other.transaction():
        removals.share(other)
        write(connection, table, gold(title="Snow"))
    assert titles(connection) == ["Snow"]


def test_a_text_that_waits_for_its_vector_goes_too(connection: Connection, table: VectorTable) -> None:
    snow = gold(title="Snow")
    pending = {snow["content_hash"]: snow["text"]}
    repository.write(connection, Batch([snow], [Made(table, {}, pending, "away")]))
    write(connection, table, page())
    late = gold(title="Snow", comment="late")
    repository.write(connection, Batch([late], [Made(table, {}, {late["content_hash"]: late["text"]}, "away")]))
    assert connection.execute("SELECT text FROM pending_embeddings").fetchall() == []


def test_an_answer_that_cites_a_removed_edit_loses_its_words(connection: Connection, table: VectorTable) -> None:
    snow, ice = gold(title="Snow"), gold(title="Ice")
    write(connection, table, snow, ice)
    for row in (snow, ice):
        connection.execute(
            "INSERT INTO answers VALUES (%s, now(), 'What?', %s, 'grounded', 'extractive', NULL, '{}', %s, 1)",
            (uuid4(), f"{row['title']} was edited [1].", [row["doc_id"]]),
        )
    assert removals.preview(connection, page()) == {"documents": 1, "answers": 1}
    write(connection, table, page())
    kept = connection.execute("SELECT answer, doc_ids FROM answers ORDER BY answer").fetchall()
    assert kept == [("Ice was edited [1].", [ice["doc_id"]]), (ANSWER_REMOVED, [])]


@pytest.mark.parametrize("title", ["'; DROP TABLE documents; --", "100%_\\ {0} $1 %s", "雪\u202e🏔", "a\nb"])
def test_a_title_is_a_title_whatever_is_in_it(connection: Connection, table: VectorTable, title: str) -> None:
    write(connection, table, gold(title=title), gold(title="Snow"))
    assert write(connection, table, page(title)).removed == 1
    assert titles(connection) == ["Snow"]


def test_what_stands_is_told_by_its_target(store: str, connection: Connection, table: VectorTable) -> None:
    write(connection, table, page(), page("Ice"), page("Ice", until=LATER + timedelta(hours=1), lifts=True))
    (one,) = removals.standing(store)
    assert one == (target(Kind.PAGE, "enwiki", "Snow"), "page", "stream", LATER, None)


def test_the_first_of_what_waits_to_leave_the_lake_is_told_until_it_was_searched(
    store: str, connection: Connection, table: VectorTable
) -> None:
    assert in_lake.waiting_since(connection) is None
    write(connection, table, page())
    first = in_lake.waiting_since(connection)
    assert first is not None
    write(connection, table, gold(title="Ice"))
    write(connection, table, page("Ice"))
    assert in_lake.waiting_since(connection) == first
    in_lake.searched(store, removals.standing(store), removed(connection), datetime.now(UTC), [Origin.STREAM])
    assert in_lake.waiting_since(connection) is None
