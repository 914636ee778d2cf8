"""One batch: embed what has no vector yet, write all in one transaction, count what became of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from freshet.contract import topics
from freshet.errors import DataError, FreshetError
from freshet.store.freshness import STAGES
from freshet.store.removals import Removal
from freshet.store.repository import Batch, Deletion, Document, Made, Written
from freshet.telemetry import logs, metrics
from indexer.decode import Change
from indexer.models import Models, Target
from indexer.store import Store


def index(changes: Sequence[Change], store: Store, models: Models) -> None:
    """Make documents searchable, or take them away. Raises TransientError when Postgres is away: nothing is written.

    What is said last of a document counts. One that the store refuses is logged, counted and left out; the others are
    written.
    """
    removals = [change for change in changes if isinstance(change, Removal)]
    last = {_doc_id(change): change for change in changes if not isinstance(change, Removal)}
    documents = [change for change in last.values() if not isinstance(change, Deletion)]
    deleted = [change.doc_id for change in last.values() if isinstance(change, Deletion)]
    texts = {document["content_hash"]: document["text"] for document in documents}
    with metrics.INDEX_BATCH.labels("embed").time():
        made = [_make(texts, target, store) for target in models.targets]
    with metrics.INDEX_BATCH.labels("upsert").time():
        _write(Batch(documents, made, deleted, models.kept, removals), store)
    for one in made:
        metrics.EMBEDDED.labels("computed").inc(len(one.vectors))
        metrics.EMBEDDED.labels("pending").inc(len(one.pending))
        metrics.EMBEDDED.labels("reused").inc(len(documents) - len(one.vectors) - len(one.pending))


def _make(texts: Mapping[str, str], target: Target, store: Store) -> Made:
    """One model's vectors of those texts, by content hash, that have none yet."""
    known = store.embedded(target.table, texts) if texts else set()
    return embed({key: text for key, text in texts.items() if key not in known}, target)


def embed(texts: Mapping[str, str], target: Target) -> Made:
    """Vectors of texts by content hash. A provider that fails leaves them pending instead: the stream goes on."""
    if not texts:
        return Made(target.table, {})
    if target.embedder is None:
        return Made(target.table, {}, texts, target.reason)
    try:
        vectors = target.embedder.embed(list(texts.values()))
    except FreshetError as error:
        logs.get().warning(
            "searchable by words only, for now", model=target.table.model_id, texts=len(texts), error=str(error)
        )
        return Made(target.table, {}, texts, str(error))
    return Made(target.table, dict(zip(texts, vectors, strict=True)))


def _doc_id(change: Document | Deletion) -> str:
    return change.doc_id if isinstance(change, Deletion) else str(change["doc_id"])


def _write(batch: Batch, store: Store) -> None:
    try:
        written = store.write(batch)
    except DataError as error:
        parts = list(_parts(batch))
        if len(parts) > 1:
            for part in parts:
                _write(part, store)
        elif batch.deleted:
            raise
        else:
            reject(str(error), **_named(batch))
        return
    _observe({document["doc_id"]: document for document in batch.documents}, written)


def _parts(batch: Batch) -> Iterator[Batch]:
    """The batch one by one, each with the vectors and pending texts that go with it."""
    for removal in batch.removals:
        yield Batch([], _only(batch.made, []), kept=batch.kept, removals=[removal])
    if batch.deleted:
        yield Batch([], _only(batch.made, []), batch.deleted, batch.kept)
    for document in batch.documents:
        yield Batch([document], _only(batch.made, [document["content_hash"]]), kept=batch.kept)


def _only(made: Sequence[Made], content_hashes: Collection[str]) -> list[Made]:
    return [one.only(content_hashes) for one in made]


def _named(batch: Batch) -> dict[str, Any]:
    return {"doc_id": batch.documents[0]["doc_id"]} if batch.documents else {"event_id": batch.removals[0].event_id}


def reject(error: str, **where: object) -> None:
    """A record of our own topic that is no document: loud, but the stream goes on."""
    metrics.INDEXED.labels("rejected").inc()
    logs.get().error("not a document, left out", error=error, **where)


def _observe(documents: Mapping[str, Document], written: Written) -> None:
    metrics.INDEXED.labels("inserted").inc(len(written.inserted))
    metrics.INDEXED.labels("changed").inc(len(written.changed))
    metrics.INDEXED.labels("unchanged").inc(written.unchanged)
    metrics.INDEXED.labels("deleted").inc(written.deleted)
    metrics.INDEXED.labels("removed").inc(written.removed)
    # An edit of before was late when it was received: it says nothing of how fresh the index is.
    live = {doc_id: at for doc_id, at in written.inserted.items() if documents[doc_id]["source"] != topics.BACKFILL}
    for doc_id, searchable_at in live.items():
        times = {**documents[doc_id], "searchable_at": searchable_at}
        for stage, (start, end) in STAGES.items():
            # a clock that was put back between the two
            metrics.STAGE.labels(stage).observe(max(0.0, (times[end] - times[start]).total_seconds()))
