"""Databases beside the store's own, in the same server."""

import psycopg
from psycopg import sql

from freshet.errors import TransientError


def ensure_database(conninfo: str, name: str) -> bool:
    """Make a database in the server of `conninfo`, unless it is there. Returns whether it was made.

    Raises TransientError when the server does not answer.
    """
    try:
        with psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None:
                return False
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            return True
    except psycopg.errors.DuplicateDatabase:
        return False
    except psycopg.OperationalError as error:
        raise TransientError(f"no database {name}: {error}") from error
