"""The advisory locks of the store: one for each kind of work that only one may do at a time."""

from enum import IntEnum, unique

from psycopg import Connection


@unique
class Lock(IntEnum):
    """Any numbers, as long as they stay the same and no two are alike."""

    MIGRATING = 7_305_212
    CHECKING_FRESHNESS = 7_305_213
    TIDYING = 7_305_214
    ASKING_ABOUT_PAGES = 7_305_215
    REMOVING = 7_305_216


def take(connection: Connection, lock: Lock) -> bool:
    """Whether this connection has the lock. It then keeps it until it ends, however often this is asked."""
    (row,) = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchall()
    return bool(row[0])
