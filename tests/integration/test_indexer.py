"""The indexer between a real broker and a real Postgres."""

from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY

from freshet.contract.pages import Description, Page
from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.store import context, models
from indexer.batch import index
from indexer.decode import decode
from indexer.pending import embed_pages
from indexer.store import Store
from tests.documents import gold
from tests.indexer_builders import TextEmbedder, models_of
from tests.indexing import PATIENCE_S, as_value, begin, behind, count, eventually, indexing, process, put, rows

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def empty_topic(settings: Settings, database: str) -> None:
    begin(settings, database)


def test_documents_become_searchable_and_their_offsets_are_committed(settings: Settings, database: str) -> None:
    with indexing(settings, database, TextEmbedder()):
        put(settings, *(gold() for _ in range(100)))
        eventually(lambda: count(database, "documents") == 100)
    assert count(database, "embeddings_drawn_from_text") == 100
    assert behind(settings) == 0


def test_a_document_delivered_again_changes_nothing(settings: Settings, database: str) -> None:
    document = gold()
    with indexing(settings, database, TextEmbedder()):
        put(settings, document)
        eventually(lambda: count(database, "documents") == 1)
        before = rows(database, "SELECT xmin::text, * FROM documents")
        last = gold()
        put(settings, document, document, last, document)
        eventually(lambda: count(database, "documents") == 2)
    assert behind(settings) == 0
    assert rows(database, f"SELECT xmin::text, * FROM documents WHERE doc_id <> '{last['doc_id']}'") == before


def test_after_a_crash_between_store_and_commit_nothing_is_missing_or_twice(settings: Settings, database: str) -> None:
    documents = [gold(text=f"text {number % 5}") for number in range(20)]
    embedder = TextEmbedder()
    store = Store(database)
    index([decode(as_value(document), 0) for document in documents[:12]], store, models_of(store, embedder))
    store.close()
    put(settings, *documents)
    with indexing(settings, database, embedder):
        eventually(lambda: behind(settings) == 0)
    assert {row[0] for row in rows(database, "SELECT doc_id FROM documents")} == {row["doc_id"] for row in documents}
    assert count(database, "embeddings_drawn_from_text") == 5
    assert len(embedder.asked) == 1


def test_a_record_that_is_no_document_does_not_stop_the_stream(settings: Settings, database: str) -> None:
    with indexing(settings, database, TextEmbedder()):
        put(settings, b"{", gold(), b"[]", gold(bytes_delta=2**63), gold())
        eventually(lambda: count(database, "documents") == 2)
        eventually(lambda: behind(settings) == 0)


def test_a_failing_provider_leaves_documents_searchable_by_words_until_it_is_back(
    settings: Settings, database: str
) -> None:
    embedder = TextEmbedder(TransientError("provider is away"))
    with indexing(settings, database, embedder):
        put(settings, gold(text="the long canal"))
        eventually(lambda: count(database, "documents") == 1)
        found = "SELECT count(*) FROM documents WHERE words @@ to_tsquery('english', 'canals')"
        assert rows(database, found) == [(1,)]
        assert count(database, "pending_embeddings") == 1
        assert count(database, "embeddings_drawn_from_text") == 0
        embedder.failure = None
        eventually(lambda: count(database, "embeddings_drawn_from_text") == 1)
        assert count(database, "pending_embeddings") == 0


def test_a_batch_waits_for_a_database_that_is_away(settings: Settings, postgres: str, database: str) -> None:
    name = database.rsplit("/", 1)[1]
    admin = psycopg.connect(postgres, autocommit=True)
    with admin, indexing(settings, database, TextEmbedder()):
        put(settings, gold())
        eventually(lambda: count(database, "documents") == 1 and behind(settings) == 0)
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        put(settings, *(gold() for _ in range(20)))
        eventually(lambda: REGISTRY.get_sample_value("freshet_ready") == 0)
        assert behind(settings) == 20
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
        eventually(lambda: count(database, "documents") == 21)
        eventually(lambda: behind(settings) == 0)


def deletion(document: dict[str, Any]) -> dict[str, Any]:
    return {"doc_id": document["doc_id"], "deleted": True, "raw_partition": 0, "raw_offset": 0}


def test_a_document_taken_away_comes_back_only_when_it_is_sent_again_later(settings: Settings, database: str) -> None:
    def send(*records: dict[str, Any]) -> None:
        """All to one partition, as records of one page are, and wait until they are read."""
        for record in records:
            put(settings, record)
        eventually(lambda: behind(settings) == 0)

    gone, kept = gold(text="shared by both"), gold(text="shared by both")
    alone = gold(text="of its own")
    embedder = TextEmbedder()
    with indexing(settings, database, embedder):
        send(gone, kept, alone)
        send(deletion(gone), deletion(alone), deletion(alone), deletion(gold()))
        assert rows(database, "SELECT doc_id FROM documents") == [(kept["doc_id"],)]
        assert count(database, "embeddings_drawn_from_text") == 1
        # The group is put back, as after a crash before its commit: the same records end the same.
        send(gone, alone, deletion(gone), deletion(alone))
        assert rows(database, "SELECT doc_id FROM documents") == [(kept["doc_id"],)]
        send(alone)
        eventually(lambda: count(database, "documents") == 2)
    assert count(database, "embeddings_drawn_from_text") == 2


def test_a_document_sent_again_with_another_text_is_that_text_embedded_once(settings: Settings, database: str) -> None:
    before = gold(text="before")
    after = gold(text="after") | {"doc_id": before["doc_id"]}
    embedder = TextEmbedder()
    with indexing(settings, database, embedder):
        put(settings, before)
        eventually(lambda: count(database, "documents") == 1)
        for _ in range(3):
            put(settings, after)
        eventually(lambda: rows(database, "SELECT text FROM documents") == [("after",)])
        eventually(lambda: behind(settings) == 0)
    assert [text for texts in embedder.asked for text in texts] == ["before", "after"]
    assert count(database, "embeddings_drawn_from_text") == 1


def vectors_of(database: str, model: str) -> set[str]:
    return {row[0] for row in rows(database, f"SELECT content_hash FROM embeddings_{model}")}


def test_while_another_model_is_built_new_texts_get_vectors_by_both_and_lose_both(
    settings: Settings, database: str
) -> None:
    first, second = TextEmbedder(), TextEmbedder(model_id="second", dimensions=4)
    before, both, after = (gold(text=text) for text in ("before", "both", "after"))

    def writes_both() -> bool:
        put(settings, gold())
        return count(database, "embeddings_second") > 0

    def writes_the_second_alone() -> bool:
        put(settings, gold())
        return bool(vectors_of(database, "second") - vectors_of(database, "drawn_from_text"))

    with indexing(settings, database, first, second), psycopg.connect(database, autocommit=True) as connection:
        put(settings, before)
        eventually(lambda: count(database, "documents") == 1)
        models.start_building(connection, "second", 4)
        eventually(writes_both)
        put(settings, both)
        eventually(lambda: both["content_hash"] in vectors_of(database, "second"))
        assert both["content_hash"] in vectors_of(database, "drawn_from_text")
        assert before["content_hash"] not in vectors_of(database, "second")
        connection.execute("UPDATE embedding_models SET state = 'retired' WHERE model_id = 'drawn-from-text'")
        connection.execute("UPDATE embedding_models SET state = 'active' WHERE model_id = 'second'")
        eventually(writes_the_second_alone)
        put(settings, after, deletion(both))
        eventually(lambda: after["content_hash"] in vectors_of(database, "second") and behind(settings) == 0)
    assert after["content_hash"] not in vectors_of(database, "drawn_from_text")
    assert both["content_hash"] not in vectors_of(database, "second") | vectors_of(database, "drawn_from_text")


def test_a_model_that_is_built_but_cannot_be_loaded_or_is_dropped_leaves_the_stream_alone(
    settings: Settings, database: str
) -> None:
    second = TextEmbedder(model_id="second", dimensions=4)
    with indexing(settings, database, TextEmbedder(), second), psycopg.connect(database, autocommit=True) as connection:
        models.start_building(connection, "unknown", 4)
        put(settings, *(gold() for _ in range(8)))
        eventually(lambda: count(database, "documents") == 8 and behind(settings) == 0)
        assert count(database, "pending_embeddings") == count(database, "embeddings_unknown") == 0
        assert models.drop(connection, "unknown")
        models.start_building(connection, "second", 4)

        def writes_both() -> bool:
            put(settings, gold())
            return count(database, "embeddings_second") > 0

        eventually(writes_both)
        assert models.drop(connection, "second")
        there = count(database, "documents")
        put(settings, *(gold() for _ in range(8)))
        eventually(lambda: count(database, "documents") >= there + 8 and behind(settings) == 0)
    assert count(database, "embeddings_drawn_from_text") == count(database, "documents")


def test_an_indexer_goes_on_with_the_model_of_its_store_whatever_the_setting_says(
    settings: Settings, database: str
) -> None:
    first, second = TextEmbedder(), TextEmbedder(model_id="second", dimensions=4)
    with indexing(settings, database, first):
        put(settings, gold())
        eventually(lambda: count(database, "documents") == 1)
    with indexing(settings, database, second, first):
        put(settings, gold())
        eventually(lambda: count(database, "embeddings_drawn_from_text") == 2)
    assert second.asked == []


def test_what_a_page_is_about_gets_its_vectors_beside_the_stream_and_again_after_a_failure(
    settings: Settings, database: str
) -> None:
    embedder = TextEmbedder(TransientError("no embeddings now"))
    store = Store(database)
    models = models_of(store, embedder)
    described(database, Page("enwiki", "Etna"), "volcano in Sicily")
    stop = Event()
    thread = Thread(target=embed_pages, args=(Store(database), models, stop))
    thread.start()
    try:
        failed = "SELECT 1 FROM pending_embeddings WHERE texts = 'pages' AND error = 'no embeddings now'"
        eventually(lambda: rows(database, failed) == [(1,)])
        embedder.failure = None
        eventually(lambda: count(database, "page_embeddings_drawn_from_text") == 1)
        assert count(database, "pending_embeddings") == 0
    finally:
        stop.set()
        thread.join()
        store.close()


def described(database: str, page: Page, description: str) -> None:
    """Have it known what a page is about."""
    now = datetime.now(UTC)
    said = {page: Description("Q1", None, description, "en")}
    with psycopg.connect(database) as connection:
        context.note_seen(connection, {page: context.Seen(now, now)})
        context.describe(connection, context.Answered(said, "Wikidata", timedelta(days=1), timedelta(days=1)))


def test_two_indexers_share_the_partitions(settings: Settings, database: str) -> None:
    first, second = TextEmbedder(), TextEmbedder()
    total = 0
    with indexing(settings, database, first), indexing(settings, database, second):

        def both_work() -> bool:
            nonlocal total
            put(settings, *(gold() for _ in range(settings.kafka_partitions)))
            total += settings.kafka_partitions
            return bool(first.asked and second.asked)

        eventually(both_work)
        eventually(lambda: count(database, "documents") == total)
    assert count(database, "embeddings_drawn_from_text") == total
    assert behind(settings) == 0


def test_a_process_that_is_killed_and_started_again_misses_nothing(settings: Settings, database: str) -> None:
    documents = [gold(text=f"text number {number}") for number in range(200)]
    put(settings, *documents)
    with process(settings, database):
        eventually(lambda: count(database, "documents") > 0)
    with process(settings, database):
        eventually(lambda: behind(settings) == 0)
    assert {row[0] for row in rows(database, "SELECT doc_id FROM documents")} == {row["doc_id"] for row in documents}
    assert count(database, "embeddings_minilm_l6_v2_int8") == 200


def test_a_process_told_to_stop_commits_what_it_wrote_and_ends_well(settings: Settings, database: str) -> None:
    put(settings, *(gold() for _ in range(200)))
    with process(settings, database) as child:
        eventually(lambda: count(database, "documents") > 0)
        child.terminate()
        assert child.wait(PATIENCE_S) == 0
    assert behind(settings) == 200 - count(database, "documents")


def test_a_process_says_that_it_is_ready_and_shows_its_own_metrics_alone(settings: Settings, database: str) -> None:
    put(settings, gold())
    address = f"http://127.0.0.1:{settings.indexer_metrics_port}"

    def asked(path: str) -> httpx.Response | None:
        try:
            return httpx.get(address + path, trust_env=False)
        except httpx.TransportError:
            return None

    with process(settings, database):
        eventually(lambda: (answer := asked("/readyz")) is not None and answer.status_code == 200)
        eventually(lambda: count(database, "documents") == 1)
        page = asked("/metrics")
    assert page is not None
    assert 'freshet_indexer_documents_total{outcome="inserted"} 1.0' in page.text
    assert "freshet_producer_" not in page.text
