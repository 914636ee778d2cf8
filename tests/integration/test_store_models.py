"""From one model to another on a real database: built, switched, rolled back, dropped, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from freshet.contract.pages import Description, Page
from freshet.errors import PermanentError, TransientError
from freshet.store import audit, embeddings, maintenance, missing, models, repository, sla
from freshet.store.embeddings import VectorTable
from freshet.store.failures import translated
from freshet.store.missing import Hashes, Span
from freshet.store.repository import Batch, Made
from tests.described import describe
from tests.documents import NOON, gold
from tests.indexer_builders import TextEmbedder

pytestmark = pytest.mark.integration

OLD, NEW = TextEmbedder(model_id="old"), TextEmbedder(model_id="new", dimensions=4)
EVERYTHING = Span()


@pytest.fixture
def old(connection: Connection) -> VectorTable:
    return embeddings.add_embedding_model(connection, "old", 8)


def store(connection: Connection, table: VectorTable, *documents: dict[str, Any]) -> None:
    repository.write(connection, Batch(documents, [Made(table, vectors(OLD, documents))]))


def vectors(embedder: TextEmbedder, documents: Any) -> dict[str, Any]:
    texts = {document["content_hash"]: document["text"] for document in documents}
    return dict(zip(texts, embedder.embed(list(texts.values())), strict=True))


def fill(connection: Connection, table: VectorTable, embedder: TextEmbedder) -> None:
    texts = missing.page(connection, table, Hashes(), EVERYTHING, 10_000)
    with connection.transaction():
        embeddings.put_vectors(
            connection, table, dict(zip(texts, embedder.embed(list(texts.values())), strict=True)) if texts else {}
        )


def known_pages(count: int) -> dict[Page, Description | None]:
    return {
        Page("jawiki", f"山 {number}"): Description(f"Q{number}", None, "mountain", "en") for number in range(count)
    }


def states(connection: Connection) -> dict[str, str]:
    return {model.model_id: model.state for model in models.listed(connection)}


def test_a_model_is_built_switched_to_and_back_and_dropped(connection: Connection, old: VectorTable) -> None:
    store(connection, old, *(gold() for _ in range(20)))
    new = models.start_building(connection, "new", 4)
    assert models.start_building(connection, "new", 4) == new
    assert states(connection) == {"old": "active", "new": "building"}
    assert [models.index_is_valid(connection, table) for table in new.tables] == [None, None]
    fill(connection, new.table, NEW)
    assert models.build_indexes(connection, new)
    assert not models.build_indexes(connection, new)
    assert models.switch(connection, "new") == "old"
    assert models.switch(connection, "new") is None
    assert states(connection) == {"old": "retired", "new": "active"}

    back = models.start_building(connection, "old", 8)
    assert states(connection) == {"old": "building", "new": "active"}
    assert models.lacking(connection, back).missing == 0
    assert models.switch(connection, "old") == "new"
    assert models.drop(connection, "new")
    assert not models.drop(connection, "new")
    assert states(connection) == {"old": "active"}
    tables = "SELECT to_regclass('embeddings_new'), to_regclass('page_embeddings_new')"
    assert connection.execute(tables).fetchall() == [(None, None)]


def test_what_is_not_whole_is_not_switched_to(connection: Connection, old: VectorTable) -> None:
    documents = [gold() for _ in range(20)]
    store(connection, old, *documents)
    new = models.start_building(connection, "new", 4)
    with pytest.raises(PermanentError, match="no valid vector index"):
        models.switch(connection, "new")
    models.build_indexes(connection, new)
    with pytest.raises(PermanentError, match="20 of 20 texts of documents have no vector by new, 0 of them"):
        models.switch(connection, "new")
    texts = {one["content_hash"]: one["text"] for one in documents}
    embeddings.put_pending(connection, "new", texts, "provider is away")
    with pytest.raises(PermanentError, match="20 of 20 texts of documents wait for their vector by new: more than 1%"):
        models.switch(connection, "new")
    assert states(connection) == {"old": "active", "new": "building"}
    fill(connection, new.table, NEW)
    assert models.switch(connection, "new") == "old"


def test_what_is_known_of_pages_is_not_lost_by_a_switch(connection: Connection, old: VectorTable) -> None:
    store(connection, old, *(gold() for _ in range(2000)))
    describe(connection, known_pages(10))
    old_pages = models.get(connection, "old").page_table
    fill(connection, old_pages, OLD)
    new = models.start_building(connection, "new", 4)
    fill(connection, new.table, NEW)
    models.build_indexes(connection, new)
    assert models.lacking(connection, new) == (2010, 10, 0)
    with pytest.raises(PermanentError, match="10 of 10 texts of pages have no vector by new, 0 of them"):
        models.switch(connection, "new")
    texts = missing.page(connection, new.page_table, Hashes(), EVERYTHING, 100)
    embeddings.put_pending(connection, "new", texts, "not yet", "pages")
    with pytest.raises(PermanentError, match="10 of 10 texts of pages wait for their vector by new: more than 1%"):
        models.switch(connection, "new")
    fill(connection, new.page_table, NEW)
    assert embeddings.count_pending(connection, "new", "pages") == 0
    connection.execute("DROP INDEX page_embeddings_new_hnsw")
    with pytest.raises(PermanentError, match="new has no valid vector index of its pages"):
        models.switch(connection, "new")
    models.build_indexes(connection, new)
    assert models.switch(connection, "new") == "old"


def test_texts_of_pages_are_cut_and_counted_by_the_time_of_their_newest_edit(
    connection: Connection, old: VectorTable
) -> None:
    describe(connection, known_pages(5))
    describe(connection, {Page("enwiki", "Unknown"): None})
    table = models.get(connection, "old").page_table
    assert missing.count(connection, table, EVERYTHING) == missing.count(connection, "pages", EVERYTHING) == 5
    assert missing.count(connection, "documents", EVERYTHING) == 0
    assert missing.count(connection, table, Span(NOON + timedelta(seconds=1))) == 0
    ranges = missing.cut(connection, table, EVERYTHING, 3)
    assert [len(missing.page(connection, table, one, EVERYTHING, 100)) for one in ranges] == [3, 2]


def test_the_active_model_is_not_dropped_and_nothing_is_built_beside_another_build(
    connection: Connection, old: VectorTable
) -> None:
    with pytest.raises(PermanentError, match="old is the active one"):
        models.drop(connection, "old")
    models.start_building(connection, "new", 4)
    with pytest.raises(PermanentError, match="new is being built"):
        models.start_building(connection, "third", 4)
    with pytest.raises(PermanentError, match="new has 5 dimensions, its table in the store 4"):
        models.start_building(connection, "new", 5)
    with pytest.raises(PermanentError, match="has no model fourth; it has new, old"):
        models.switch(connection, "fourth")


def test_a_retired_model_is_not_switched_to_without_being_built(connection: Connection, old: VectorTable) -> None:
    new = models.start_building(connection, "new", 4)
    models.build_indexes(connection, new)
    models.switch(connection, "new")
    with pytest.raises(PermanentError, match="old is retired: it must be built first"):
        models.switch(connection, "old")


def test_a_table_that_is_being_read_is_not_dropped_under_the_reader(
    connection: Connection, old: VectorTable, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freshet.store.models.DROP_WAIT", "50ms")
    models.start_building(connection, "new", 4)
    with psycopg.connect(database) as reader:
        reader.execute("SELECT FROM embeddings_new")
        with pytest.raises(TransientError, match="lock timeout"), translated():
            models.drop(connection, "new")
    assert models.drop(connection, "new")


def test_what_a_killed_build_left_of_an_index_is_taken_away_first(connection: Connection, old: VectorTable) -> None:
    new = models.start_building(connection, "new", 4)
    connection.execute("SELECT add_vector_index('embeddings_new')")
    connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'embeddings_new_hnsw'::regclass")
    whole = [index.table.name for index in maintenance.vector_indexes(connection)]
    assert whole == ["embeddings_old", "page_embeddings_old"]
    assert models.build_indexes(connection, new)
    assert all(models.index_is_valid(connection, table) for table in new.tables)


def test_writers_do_not_wait_while_the_index_is_built(connection: Connection, old: VectorTable, database: str) -> None:
    new = models.start_building(connection, "new", 4)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    connection.execute("SET lock_timeout = '5s'")
    with psycopg.connect(database, autocommit=True) as builder, psycopg.connect(database) as writer:
        # a writer from before keeps any build from ending
        writer.execute("LOCK TABLE embeddings_new IN ROW EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(models.build_indexes, builder, new)
            while connection.execute(waiting, (connection.info.dbname,)).fetchall() == [(0,)]:
                assert not building.done()
            document = gold()
            try:
                repository.write(connection, Batch([document], [Made(new.table, vectors(NEW, [document]))]))
            finally:
                writer.rollback()
            assert building.result()


def test_missing_texts_are_cut_into_ranges_that_hold_all_of_them_once(connection: Connection, old: VectorTable) -> None:
    documents = [gold(event_time=NOON + timedelta(hours=number)) for number in range(10)]
    store(connection, old, *documents, gold(text=documents[0]["text"]))
    new = models.start_building(connection, "new", 4).table
    assert missing.count(connection, new, EVERYTHING) == missing.count(connection, "documents", EVERYTHING) == 10
    ranges = missing.cut(connection, new, EVERYTHING, 4)
    pages = [missing.page(connection, new, one, EVERYTHING, 100) for one in ranges]
    assert [len(page) for page in pages] == [4, 4, 2]
    assert len({key for page in pages for key in page}) == 10
    assert (ranges[0].after, ranges[-1].upto) == ("", None)
    assert [len(missing.page(connection, new, Hashes(), EVERYTHING, 3))] == [3]

    day = Span(NOON + timedelta(hours=2), NOON + timedelta(hours=5))
    assert missing.count(connection, new, day) == 3
    fill(connection, new, NEW)
    assert missing.cut(connection, new, EVERYTHING, 4) == []


def test_what_waits_for_another_model_is_not_counted_as_pending(connection: Connection, old: VectorTable) -> None:
    document = gold()
    store(connection, old, document)
    models.start_building(connection, "new", 4)
    embeddings.put_pending(connection, "new", {document["content_hash"]: document["text"]}, "not yet")
    assert sla.searchable(connection).pending == 0
    with connection.transaction():
        assert [(row.embedded, row.pending) for row in audit.documents(connection)] == [(True, False)]


def test_how_far_a_build_is_can_be_seen(connection: Connection, old: VectorTable) -> None:
    missing.note_progress(connection, "old", "embedding", 1000, 0, None)
    missing.note_progress(connection, "old", "embedding", 1000, 250, 50.0)
    (seen,) = missing.progress(connection)
    assert seen.left_s == 15
    assert str(seen) == "old: embedding, 250 of 1,000 texts, 50.0 texts/s, 15 s left"
    missing.forget_progress(connection, "old")
    assert missing.progress(connection) == []
