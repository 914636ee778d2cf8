"""One batch: embed what has no vector yet, write all in one transaction, count what became of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from freshet.contract import topics
from freshet.embedding import Embedder
from freshet.errors import DataError, FreshetError
from freshet.store.embeddings import Vector
from freshet.store.freshness import STAGES
from freshet.store.repository import Batch, Deletion, Document, Written
from freshet.telemetry import logs, metrics
from indexer.decode import Change
from indexer.store import Store


class Vectors(NamedTuple):
    """Vectors by content hash; or why there are none, and the texts that wait for theirs."""

    made: Mapping[str, Vector]
    pending: Mapping[str, str]
    error: str


def index(changes: Sequence[Change], store: Store, embedder: Embedder) -> None:
    """Make documents searchable, or take them away. Raises TransientError when Postgres is away: nothing is written.

    What is said last of a document counts. One that the store refuses is logged, counted and left out; the others are
    written.
    """
    last = {_doc_id(change): change for change in changes}
    documents = [change for change in last.values() if not isinstance(change, Deletion)]
    deleted = [change.doc_id for change in last.values() if isinstance(change, Deletion)]
    texts = {document["content_hash"]: document["text"] for document in documents}
    known = store.embedded(texts) if texts else set()
    with metrics.INDEX_BATCH.labels("embed").time():
        vectors = embed({key: text for key, text in texts.items() if key not in known}, embedder)
    with metrics.INDEX_BATCH.labels("upsert").time():
        _write(documents, deleted, vectors, store)
    metrics.EMBEDDED.labels("computed").inc(len(vectors.made))
    metrics.EMBEDDED.labels("pending").inc(len(vectors.pending))
    metrics.EMBEDDED.labels("reused").inc(len(documents) - len(vectors.made) - len(vectors.pending))


def embed(texts: Mapping[str, str], embedder: Embedder) -> Vectors:
    """Vectors of texts by content hash. A provider that fails leaves them pending instead: the stream goes on."""
    if not texts:
        return Vectors({}, {}, "")
    try:
        return Vectors(dict(zip(texts, embedder.embed(list(texts.values())), strict=True)), {}, "")
    except FreshetError as error:
        logs.get().warning("searchable by words only, for now", texts=len(texts), error=str(error))
        return Vectors({}, texts, str(error))


def _doc_id(change: Change) -> str:
    return change.doc_id if isinstance(change, Deletion) else str(change["doc_id"])


def _write(documents: Sequence[Document], deleted: Sequence[str], vectors: Vectors, store: Store) -> None:
    try:
        written = store.write(_batch(documents, deleted, vectors))
    except DataError as error:
        if not documents:
            raise
        if len(documents) + len(deleted) > 1:
            _write([], deleted, vectors, store)
            for document in documents:
                _write([document], [], vectors, store)
            return
        reject(str(error), doc_id=documents[0]["doc_id"])
        return
    _observe({document["doc_id"]: document for document in documents}, written)


def _batch(documents: Sequence[Document], deleted: Sequence[str], vectors: Vectors) -> Batch:
    wanted = {document["content_hash"] for document in documents}
    return Batch(
        documents,
        {key: vector for key, vector in vectors.made.items() if key in wanted},
        {key: text for key, text in vectors.pending.items() if key in wanted},
        vectors.error,
        deleted,
    )


def reject(error: str, **where: object) -> None:
    """A record of our own topic that is no document: loud, but the stream goes on."""
    metrics.INDEXED.labels("rejected").inc()
    logs.get().error("not a document, left out", error=error, **where)


def _observe(documents: Mapping[str, Document], written: Written) -> None:
    metrics.INDEXED.labels("inserted").inc(len(written.inserted))
    metrics.INDEXED.labels("changed").inc(len(written.changed))
    metrics.INDEXED.labels("unchanged").inc(written.unchanged)
    metrics.INDEXED.labels("deleted").inc(written.deleted)
    # An edit of before was late when it was received: it says nothing of how fresh the index is.
    live = {doc_id: at for doc_id, at in written.inserted.items() if documents[doc_id]["source"] != topics.BACKFILL}
    for doc_id, searchable_at in live.items():
        times = {**documents[doc_id], "searchable_at": searchable_at}
        for stage, (start, end) in STAGES.items():
            metrics.STAGE.labels(stage).observe((times[end] - times[start]).total_seconds())
