"""Texts without a vector: of edits, until the provider makes them again, and of pages, beside the stream."""

from threading import Event
from typing import Final

from freshet.embedding import Embedder
from freshet.errors import PermanentError, TransientError
from freshet.store.embeddings import VectorTable
from freshet.telemetry import logs, metrics
from indexer.models import Models
from indexer.store import Store

# A fifth of a second's work at most, so that the stream hardly waits for it.
AT_ONCE: Final = 32

# An edit that arrives meanwhile shares the cores with so few.
PAGES_AT_ONCE: Final = 4

LOOK_EVERY_S: Final = 0.5


def retry_pending(store: Store, models: Models) -> None:
    """Try the texts that are due, a few at once. Raises TransientError when Postgres is away."""
    for target in models.targets:
        if target.embedder is not None:
            _embed_due(store, target.table, target.embedder, AT_ONCE)
    metrics.PENDING.set(store.count_pending(models.active_id))


def embed_pages(store: Store, models: Models, stop: Event) -> None:
    """Make the vectors of pages until `stop` is set. No edit waits for one. `models` has started."""
    while not stop.is_set():
        try:
            made = sum(
                _embed_due(store, target.page_table, target.embedder, PAGES_AT_ONCE)
                for target in models.targets
                if target.embedder is not None
            )
        except TransientError as error:
            logs.get().warning("the vectors of pages wait", error=str(error))
            made = 0
        if not made:
            stop.wait(LOOK_EVERY_S)
    store.close()


def _embed_due(store: Store, table: VectorTable, embedder: Embedder, most: int) -> int:
    due = store.claim_pending(table, most)
    if due:
        _embed(due, store, table, embedder)
    return len(due)


def _embed(texts: dict[str, str], store: Store, table: VectorTable, embedder: Embedder) -> None:
    try:
        vectors = dict(zip(texts, embedder.embed(list(texts.values())), strict=True))
    except (TransientError, PermanentError) as error:
        # One text that can never be embedded must not keep the others waiting.
        if isinstance(error, PermanentError) and len(texts) > 1:
            for content_hash, text in texts.items():
                _embed({content_hash: text}, store, table, embedder)
            return
        logs.get().warning("still without a vector", of=table.texts, texts=len(texts), error=str(error))
        store.note_failure(table, texts, str(error))
        return
    store.put_vectors(table, vectors)
    metrics.EMBEDDED.labels("computed" if table.texts == "documents" else "page").inc(len(vectors))
