"""What becomes of a batch, with a store in memory."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from freshet.contract.rejections import Reason
from freshet.errors import DataError, PermanentError, TransientError
from freshet.store.embeddings import VectorTable
from freshet.store.models import Model
from freshet.store.repository import Batch, Deletion, Written
from indexer.batch import index
from indexer.pending import retry_pending
from tests.documents import gold
from tests.indexer_builders import TextEmbedder, models_of


class MemoryStore:
    """Keeps what it is given; refuses documents whose title is in `refused`."""

    def __init__(self, refused: Collection[str] = ()) -> None:
        self.refused = refused
        self.documents: dict[str, Any] = {}
        self.vectors: dict[str, Any] = {}
        self.pending: dict[str, str] = {}
        self.failures: dict[str, str] = {}

    def models(self) -> list[Model]:
        return [Model("drawn-from-text", 8, "embeddings_drawn_from_text")]

    def embedded(self, table: VectorTable, content_hashes: Collection[str]) -> set[str]:
        return self.vectors.keys() & set(content_hashes)

    def write(self, batch: Batch) -> Written:
        if any(document["title"] in self.refused for document in batch.documents):
            raise DataError(Reason.BAD_DOCUMENT, "refused")
        new = {document["doc_id"]: document for document in batch.documents if document["doc_id"] not in self.documents}
        self.documents |= new
        (made,) = batch.made
        self.vectors |= made.vectors
        self.pending |= made.pending
        gone = self.documents.keys() & set(batch.deleted)
        self.documents = {key: document for key, document in self.documents.items() if key not in gone}
        times = {doc_id: document["gold_at"] + timedelta(milliseconds=30) for doc_id, document in new.items()}
        return Written(times, {}, len(batch.documents) - len(new), len(gone))

    def claim_pending(self, table: VectorTable, limit: int) -> dict[str, str]:
        return dict(list(self.pending.items())[:limit])

    def put_vectors(self, table: VectorTable, vectors: Mapping[str, Any]) -> None:
        self.vectors |= vectors
        self.pending = {key: text for key, text in self.pending.items() if key not in vectors}

    def note_failure(self, table: VectorTable, content_hashes: Collection[str], error: str) -> None:
        self.failures |= dict.fromkeys(content_hashes, error)

    def count_pending(self, model_id: str) -> int:
        return len(self.pending)


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def test_equal_texts_are_embedded_once_and_known_texts_never() -> None:
    store, embedder = MemoryStore(), TextEmbedder()
    models = models_of(store, embedder)
    index([gold(text="same"), gold(text="same"), gold(text="other")], store, models)
    index([gold(text="same")], store, models)
    assert embedder.asked == [["same", "other"]]
    assert len(store.documents) == 4


def test_texts_wait_for_a_provider_that_fails_and_the_documents_do_not() -> None:
    store, embedder = MemoryStore(), TextEmbedder(TransientError("provider is away"))
    models = models_of(store, embedder)
    index([gold(text="a"), gold(text="b")], store, models)
    assert sorted(store.pending.values()) == ["a", "b"]
    assert len(store.documents) == 2
    embedder.failure = None
    retry_pending(store, models)
    assert (len(store.vectors), store.pending) == (2, {})
    assert counted("freshet_embeddings_pending") == 0


def test_a_model_that_has_other_dimensions_than_its_table_stops_the_start() -> None:
    with pytest.raises(PermanentError, match="drawn-from-text has 9 dimensions, its table in the store 8"):
        models_of(MemoryStore(), TextEmbedder(dimensions=9))


def test_a_text_that_can_never_be_embedded_keeps_no_other_waiting() -> None:
    store, embedder = MemoryStore(), TextEmbedder(PermanentError("too odd"), refused="odd")
    models = models_of(store, embedder)
    index([gold(text="odd"), gold(text="fine")], store, models)
    retry_pending(store, models)
    assert list(store.pending.values()) == ["odd"]
    assert list(store.failures.values()) == ["too odd"]


def test_a_document_that_the_store_refuses_is_counted_and_the_others_are_written() -> None:
    before = counted("freshet_indexer_documents_total", outcome="rejected")
    store = MemoryStore(refused=["bad"])
    index([gold(title="good"), gold(title="bad"), gold(title="also good")], store, models_of(store, TextEmbedder()))
    assert sorted(document["title"] for document in store.documents.values()) == ["also good", "good"]
    assert counted("freshet_indexer_documents_total", outcome="rejected") == before + 1


def test_a_clock_that_was_put_back_an_hour_gives_no_negative_duration() -> None:
    store = MemoryStore()
    stage = {"stage": "received_to_searchable"}
    before = counted("freshet_freshness_seconds_sum", **stage), counted("freshet_freshness_seconds_count", **stage)
    ahead = gold()
    index([ahead | {"received_at": ahead["gold_at"] + timedelta(hours=1)}], store, models_of(store, TextEmbedder()))
    assert counted("freshet_freshness_seconds_count", **stage) == before[1] + 1
    assert counted("freshet_freshness_seconds_sum", **stage) == before[0]


def test_what_is_said_last_of_a_document_counts() -> None:
    store, embedder = MemoryStore(), TextEmbedder()
    models = models_of(store, embedder)
    first, second = gold(), gold()
    before = counted("freshet_indexer_documents_total", outcome="deleted")
    index([first], store, models)
    index([second, Deletion(second["doc_id"]), Deletion(first["doc_id"]), first, Deletion("stranger")], store, models)
    assert list(store.documents) == [first["doc_id"]]
    index([first, Deletion(first["doc_id"])], store, models)
    assert not store.documents
    assert counted("freshet_indexer_documents_total", outcome="deleted") == before + 1


def test_a_document_that_the_store_refuses_keeps_no_other_from_being_deleted() -> None:
    store, old = MemoryStore(refused=["bad"]), gold()
    index([old], store, models_of(store, TextEmbedder()))
    index([gold(title="bad"), Deletion(old["doc_id"])], store, models_of(store, TextEmbedder()))
    assert not store.documents


@pytest.mark.parametrize(
    ("stage", "seconds"),
    [
        ("received_to_raw", 0.005),
        ("raw_to_gold", 0.015),
        ("gold_to_searchable", 0.030),
        ("received_to_searchable", 0.050),
    ],
)
def test_each_stage_is_measured_once_a_document(stage: str, seconds: float) -> None:
    store, document = MemoryStore(), gold()
    models = models_of(store, TextEmbedder())
    before = {part: counted(f"freshet_freshness_seconds_{part}", stage=stage) for part in ("sum", "count")}
    index([document], store, models)
    index([document], store, models)
    assert counted("freshet_freshness_seconds_count", stage=stage) == before["count"] + 1
    assert counted("freshet_freshness_seconds_sum", stage=stage) - before["sum"] == pytest.approx(seconds, abs=1e-4)


def test_what_a_backfill_brought_is_no_measure_of_freshness() -> None:
    store = MemoryStore()
    before = counted("freshet_freshness_seconds_count", stage="event_to_searchable")
    index([gold(source="backfill"), gold()], store, models_of(store, TextEmbedder()))
    assert counted("freshet_freshness_seconds_count", stage="event_to_searchable") == before + 1
