"""The store as the indexer sees it: one connection, opened anew after a failure."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from psycopg import Connection

from freshet.errors import TransientError
from freshet.store import embeddings, repository
from freshet.store.embeddings import Vector, VectorTable
from freshet.store.failures import translated
from freshet.store.repository import Batch, Written


class Store:
    """Writes documents and the vectors of one model. For one thread.

    Every method raises TransientError when Postgres is away and DataError when it refuses what it was given.
    """

    def __init__(self, conninfo: str, model_id: str, dimensions: int) -> None:
        self._conninfo = conninfo
        self._model_id = model_id
        self._dimensions = dimensions
        self._open: tuple[Connection, VectorTable] | None = None

    def embedded(self, content_hashes: Collection[str]) -> set[str]:
        """Which of these have a vector already."""
        with self._working() as (connection, table):
            return embeddings.embedded(connection, table, content_hashes)

    def write(self, batch: Batch) -> Written:
        """All of the batch in one transaction."""
        with self._working() as (connection, table):
            return repository.write(connection, table, batch)

    def claim_pending(self, limit: int) -> dict[str, str]:
        """Pending texts that are due, by content hash."""
        with self._working() as (connection, table):
            return embeddings.claim_pending(connection, table.model_id, limit)

    def put_vectors(self, vectors: Mapping[str, Vector]) -> None:
        """Vectors of texts that were pending."""
        with self._working() as (connection, table), connection.transaction():
            embeddings.put_vectors(connection, table, vectors)

    def note_failure(self, content_hashes: Collection[str], error: str) -> None:
        """Why pending texts still have no vector."""
        with self._working() as (connection, table):
            embeddings.note_failure(connection, table.model_id, content_hashes, error)

    def count_pending(self) -> int:
        """How many texts wait for their vector."""
        with self._working() as (connection, table):
            return embeddings.count_pending(connection, table.model_id)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._open:
            self._open[0].close()
            self._open = None

    @contextmanager
    def _working(self) -> Iterator[tuple[Connection, VectorTable]]:
        try:
            with translated():
                if self._open is None:
                    connection = repository.connect(self._conninfo)
                    table = embeddings.add_embedding_model(connection, self._model_id, self._dimensions)
                    self._open = connection, table
                yield self._open
        except TransientError:
            self.close()
            raise
