"""Removing by hand, with the vectors of what goes."""

import psycopg

from freshet.store import embeddings, models
from freshet.store.failures import translated
from freshet.store.removals import Removal, alone, enter, preview


def by_hand(conninfo: str, removal: Removal, *, apply: bool) -> dict[str, int]:
    """Remove, or say what would be. Returns how many documents and answers.

    Raises TransientError when Postgres is away.
    """
    with translated(), psycopg.connect(conninfo) as connection:
        if not apply:
            return preview(connection, removal)
        alone(connection)
        counted = preview(connection, removal)
        hashes = [one.content_hash for one in enter(connection, [removal])]
        for model in models.listed(connection):
            embeddings.drop_unused(connection, model.table, hashes)
        return counted
