"""What whoever watches the store wants to know of it."""

from typing import Final, NamedTuple

from psycopg import Connection


class Size(NamedTuple):
    """The database in bytes, the connections of clients and the most there may be, and the documents, about."""

    bytes: int
    connections: int
    max_connections: int
    documents: int


def size(connection: Connection) -> Size:
    """How large the store is and how busy its server. The documents are those that Postgres' statistics tell."""
    return Size(*connection.execute(_SIZE).fetchall()[0])


def active_model(connection: Connection) -> str | None:
    """The model whose vectors searches use; None before the first."""
    rows = connection.execute(_ACTIVE).fetchall()
    return str(rows[0][0]) if rows else None


_SIZE: Final = """
SELECT pg_database_size(current_database()),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::int,
    coalesce((SELECT greatest(n_live_tup, 0) FROM pg_stat_user_tables WHERE relname = 'documents'), 0)"""
_ACTIVE: Final = "SELECT model_id FROM embedding_models WHERE state = 'active'"
