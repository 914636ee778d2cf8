"""Databases beside the store's own, in the same server."""

from typing import Final

import psycopg
from psycopg import sql

from freshet.errors import TransientError
from freshet.store.failures import translated


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


def has_database(conninfo: str, name: str) -> bool:
    """Whether the server of `conninfo` has a database of that name. Raises TransientError."""
    with translated(), psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def count_tables(conninfo: str) -> int:
    """How many tables a database has. Raises TransientError."""
    with translated(), psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
        return int(connection.execute(_COUNT_TABLES).fetchall()[0][0])


def set_password(conninfo: str, password: str) -> None:
    """Give the role of `conninfo` another password, which the server is told as a verifier alone: logs do not have it.

    Raises TransientError when the server does not answer or lets nobody in.
    """
    with translated(), psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
        user = connection.info.user
        verifier = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(verifier)))


def lets_in(conninfo: str) -> bool:
    """Whether the server accepts the user and password of `conninfo`."""
    try:
        psycopg.connect(conninfo, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


_COUNT_TABLES: Final = """
SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
