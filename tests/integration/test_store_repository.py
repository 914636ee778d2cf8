"""Writing documents, vectors and pending texts on a real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from freshet.store import embeddings, repository
from freshet.store.embeddings import VectorTable
from freshet.store.repository import Batch, Made
from tests.documents import gold
from tests.indexer_builders import TextEmbedder

pytestmark = pytest.mark.integration

EMBEDDER = TextEmbedder()


@pytest.fixture
def table(connection: Connection) -> VectorTable:
    return embeddings.add_embedding_model(connection, EMBEDDER.model_id, EMBEDDER.dimensions)


def batch(table: VectorTable, *documents: dict[str, Any]) -> Batch:
    texts = {document["content_hash"]: document["text"] for document in documents}
    return Batch(documents, [Made(table, dict(zip(texts, EMBEDDER.embed(list(texts.values())), strict=True)))])


def stored(connection: Connection) -> list[Any]:
    return connection.execute("SELECT doc_id, xmin::text, title, searchable_at FROM documents ORDER BY 1").fetchall()


def test_new_documents_are_inserted_with_their_vectors(connection: Connection, table: VectorTable) -> None:
    first, second = gold(text="same words"), gold(text="same words")
    written = repository.write(connection, batch(table, first, second))
    assert written.inserted.keys() == {first["doc_id"], second["doc_id"]}
    assert (written.changed, written.unchanged) == ({}, 0)
    assert embeddings.embedded(connection, table, [first["content_hash"], "other"]) == {first["content_hash"]}


def test_a_document_delivered_again_changes_no_row(connection: Connection, table: VectorTable) -> None:
    document = gold(section=None, bytes_delta=3, quality_flags=["no_summary"])
    repository.write(connection, batch(table, document))
    before = stored(connection)
    again = document | {"received_at": document["received_at"] + timedelta(hours=1), "raw_offset": 99, "source": "live"}
    written = repository.write(connection, batch(table, again))
    assert (written.inserted, written.changed, written.unchanged) == ({}, {}, 1)
    assert stored(connection) == before


def test_a_document_with_other_content_is_changed(connection: Connection, table: VectorTable) -> None:
    document = gold(title="Before")
    first = repository.write(connection, batch(table, document)).inserted[document["doc_id"]]
    written = repository.write(connection, batch(table, document | {"title": "After", "section": "History"}))
    assert written.changed[document["doc_id"]] > first
    assert (written.inserted, written.unchanged) == ({}, 0)
    assert [row[2] for row in stored(connection)] == ["After"]


def test_of_the_same_document_in_one_batch_the_last_counts(connection: Connection, table: VectorTable) -> None:
    document = gold(title="First")
    written = repository.write(connection, batch(table, document, document | {"title": "Last"}))
    assert len(written.inserted) == 1
    assert [row[2] for row in stored(connection)] == ["Last"]


def test_a_document_taken_away_is_gone_and_so_is_its_vector(connection: Connection, table: VectorTable) -> None:
    one, other, third = gold(text="shared"), gold(text="shared"), gold(text="of its own")
    hashes = {one["content_hash"], third["content_hash"]}
    repository.write(connection, batch(table, one, other, third))
    written = repository.write(
        connection, Batch([], [Made(table, {})], deleted=[one["doc_id"], third["doc_id"], "none"])
    )
    assert (written.deleted, written.unchanged) == (2, 1)
    assert [row[0] for row in stored(connection)] == [other["doc_id"]]
    assert embeddings.embedded(connection, table, hashes) == {other["content_hash"]}
    repository.write(connection, Batch([], [Made(table, {})], deleted=[other["doc_id"]]))
    assert embeddings.embedded(connection, table, hashes) == set()


def test_a_text_that_no_document_has_any_more_loses_its_vector(connection: Connection, table: VectorTable) -> None:
    before, after = gold(text="before"), gold(text="after")
    repository.write(connection, batch(table, before))
    repository.write(connection, batch(table, after | {"doc_id": before["doc_id"]}))
    hashes = [before["content_hash"], after["content_hash"]]
    assert embeddings.embedded(connection, table, hashes) == {after["content_hash"]}


def test_a_vector_that_another_writer_relies_on_is_kept(
    connection: Connection, table: VectorTable, database: str
) -> None:
    old, new = gold(text="shared"), gold(text="shared")
    repository.write(connection, batch(table, old))
    with repository.connect(database) as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            repository.write(other, Batch([new], [Made(table, {})]))
            taking = pool.submit(repository.write, connection, Batch([], [Made(table, {})], deleted=[old["doc_id"]]))
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
            while other.execute(waiting, (other.info.dbname,)).fetchall() == [(0,)]:
                assert not taking.done()
        assert taking.result().deleted == 1
    assert embeddings.embedded(connection, table, [new["content_hash"]]) == {new["content_hash"]}


def test_a_vector_that_went_meanwhile_is_made_again(connection: Connection, table: VectorTable) -> None:
    document = gold()
    repository.write(connection, Batch([document], [Made(table, {})]))
    assert embeddings.count_pending(connection, table.model_id) == 1


def test_a_batch_that_fails_leaves_nothing(connection: Connection, table: VectorTable) -> None:
    good = gold()
    with pytest.raises(psycopg.errors.NotNullViolation):
        repository.write(connection, batch(table, good, gold() | {"wiki": None}))
    assert stored(connection) == []
    assert embeddings.embedded(connection, table, [good["content_hash"]]) == set()
    assert len(repository.write(connection, batch(table, good)).inserted) == 1


def test_the_columns_written_are_the_columns_of_the_table(connection: Connection) -> None:
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'documents' AND is_generated = 'NEVER'"
    )
    assert {row[0] for row in columns} == {*repository.COLUMNS, "searchable_at"}


def test_two_writers_of_the_same_documents_in_opposite_order_both_finish(
    connection: Connection, table: VectorTable, database: str
) -> None:
    documents = [gold(text=f"text {number % 40}") for number in range(80)]

    def write(order: int) -> int:
        with repository.connect(database) as own:
            return sum(
                len(repository.write(own, batch(table, *documents[start::4][::order])).inserted) for start in range(4)
            )

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(write, (1, -1))) == len(documents)
    assert len(stored(connection)) == len(documents)


def test_a_pending_text_is_claimed_once_until_its_next_time(connection: Connection, table: VectorTable) -> None:
    document = gold()
    pending = {document["content_hash"]: document["text"]}
    repository.write(connection, Batch([document], [Made(table, {}, pending, "provider is away")]))
    assert embeddings.count_pending(connection, table.model_id) == 1
    assert embeddings.claim_pending(connection, table, 10) == {}
    connection.execute("UPDATE pending_embeddings SET retry_at = now()")
    assert embeddings.claim_pending(connection, table, 10) == pending
    assert embeddings.claim_pending(connection, table, 10) == {}


def test_a_vector_takes_its_text_off_the_pending_ones(connection: Connection, table: VectorTable) -> None:
    document = gold()
    pending = {document["content_hash"]: document["text"]}
    repository.write(connection, Batch([document], [Made(table, {}, pending, "provider is away")]))
    repository.write(connection, batch(table, gold(text=document["text"])))
    assert embeddings.count_pending(connection, table.model_id) == 0


def test_the_first_model_is_active_and_the_next_is_being_built(connection: Connection, table: VectorTable) -> None:
    assert embeddings.add_embedding_model(connection, EMBEDDER.model_id, EMBEDDER.dimensions) == table
    embeddings.add_embedding_model(connection, "second", 4)
    assert connection.execute("SELECT model_id, state FROM embedding_models ORDER BY state").fetchall() == [
        (EMBEDDER.model_id, "active"),
        ("second", "building"),
    ]


def test_a_model_with_other_dimensions_is_refused(connection: Connection, table: VectorTable) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="8 dimensions"):
        embeddings.add_embedding_model(connection, EMBEDDER.model_id, 9)
