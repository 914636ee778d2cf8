"""What is in the store, in a few words."""

from typing import NamedTuple

import psycopg

from freshet.store import migrate, models
from freshet.store.failures import translated


class Standing(NamedTuple):
    """The applied migrations in order, how many documents there are, and the active model."""

    migrations: tuple[str, ...]
    documents: int
    model: str | None


def standing(conninfo: str) -> Standing:
    """How the store is now. Raises TransientError when Postgres is away."""
    with translated(), psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
        applied = tuple(migrate.applied(connection))
        if not applied:
            return Standing((), 0, None)
        model = models.active(models.listed(connection))
        documents = connection.execute("SELECT count(*) FROM documents").fetchall()[0][0]
        return Standing(applied, documents, model.model_id if model else None)
