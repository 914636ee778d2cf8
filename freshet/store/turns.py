"""Whose turn it is to do what only one process may do: a lock that ends with the connection that has it."""

from typing import Final

from psycopg import Connection

# Any number, as long as it stays the same.
ASKING: Final = 7_305_214


def take(connection: Connection, what: int) -> bool:
    """Whether it is this connection's turn. It then stays so until the connection ends, however often this is asked."""
    (row,) = connection.execute("SELECT pg_try_advisory_lock(%s)", (what,)).fetchall()
    return bool(row[0])
