"""Texts that are searchable by words only: their vectors, as soon as the provider makes them again."""

from typing import Final

from freshet.embedding import Embedder
from freshet.errors import PermanentError, TransientError
from freshet.store.embeddings import VectorTable
from freshet.telemetry import logs, metrics
from indexer.models import Models
from indexer.store import Store

# A fifth of a second's work at most, so that the stream hardly waits for it.
AT_ONCE: Final = 32


def retry_pending(store: Store, models: Models) -> None:
    """Try the texts that are due, a few at once. Raises TransientError when Postgres is away."""
    for target in models.targets:
        if target.embedder is not None:
            due = store.claim_pending(target.table, AT_ONCE)
            if due:
                _embed(due, store, target.table, target.embedder)
    metrics.PENDING.set(store.count_pending(models.active_id))


def _embed(texts: dict[str, str], store: Store, table: VectorTable, embedder: Embedder) -> None:
    try:
        vectors = dict(zip(texts, embedder.embed(list(texts.values())), strict=True))
    except (TransientError, PermanentError) as error:
        # One text that can never be embedded must not keep the others waiting.
        if isinstance(error, PermanentError) and len(texts) > 1:
            for content_hash, text in texts.items():
                _embed({content_hash: text}, store, table, embedder)
            return
        logs.get().warning("still searchable by words only", texts=len(texts), error=str(error))
        store.note_failure(table, texts, str(error))
        return
    store.put_vectors(table, vectors)
    metrics.EMBEDDED.labels("computed").inc(len(vectors))
