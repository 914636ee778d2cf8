"""The store as the indexer sees it: one connection, opened anew after a failure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from psycopg import Connection
from psycopg.errors import UndefinedTable

from freshet.errors import TransientError
from freshet.store import embeddings, models, repository
from freshet.store.embeddings import Vector, VectorTable
from freshet.store.failures import translated
from freshet.store.models import Model
from freshet.store.repository import Batch, Written


class Store:
    """Writes documents and their vectors. For one thread.

    Every method raises TransientError when Postgres is away or a model was dropped meanwhile, and DataError when it
    refuses what it was given.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._open: Connection | None = None

    def models(self) -> Sequence[Model]:
        """All models that the store has."""
        with self._working() as connection:
            return models.listed(connection)

    def add(self, model_id: str, dimensions: int) -> None:
        """Register the first model as the active one."""
        with self._working() as connection:
            embeddings.add_embedding_model(connection, model_id, dimensions)

    def embedded(self, table: VectorTable, content_hashes: Collection[str]) -> set[str]:
        """Which of these have a vector already."""
        with self._working() as connection:
            return embeddings.embedded(connection, table, content_hashes)

    def write(self, batch: Batch) -> Written:
        """All of the batch in one transaction."""
        with self._working() as connection:
            return repository.write(connection, batch)

    def claim_pending(self, table: VectorTable, limit: int) -> dict[str, str]:
        """Pending texts that are due, by content hash."""
        with self._working() as connection:
            return embeddings.claim_pending(connection, table, limit)

    def put_vectors(self, table: VectorTable, vectors: Mapping[str, Vector]) -> None:
        """Vectors of texts that were pending."""
        with self._working() as connection, connection.transaction():
            embeddings.put_vectors(connection, table, vectors)

    def note_failure(self, table: VectorTable, content_hashes: Collection[str], error: str) -> None:
        """Why pending texts still have no vector."""
        with self._working() as connection:
            embeddings.note_failure(connection, table, content_hashes, error)

    def count_pending(self, model_id: str) -> int:
        """How many texts wait for their vector."""
        with self._working() as connection:
            return embeddings.count_pending(connection, model_id)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._open:
            self._open.close()
            self._open = None

    @contextmanager
    def _working(self) -> Iterator[Connection]:
        try:
            with translated():
                if self._open is None:
                    self._open = repository.connect(self._conninfo)
                yield self._open
        except UndefinedTable as error:
            raise TransientError(f"a model was dropped meanwhile: {error}") from error
        except TransientError:
            self.close()
            raise
