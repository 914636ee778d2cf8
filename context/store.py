"""The store as this room sees it: one connection, opened anew after a failure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import psycopg
from psycopg import Connection

from freshet.contract.pages import Page
from freshet.errors import TransientError
from freshet.store import context, locks
from freshet.store.context import Answered, Due, Seen, Waiting
from freshet.store.failures import translated
from freshet.store.locks import Lock

CONNECT_TIMEOUT_S: Final = 5


class Store:
    """Pages: those that were seen, and what was answered. For one thread.

    Every method raises TransientError when Postgres is away, and DataError when it refuses what it was given.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._open: Connection | None = None

    def note_seen(self, live: Mapping[Page, Seen], backfilled: Mapping[Page, Seen]) -> int:
        """Have them asked about where need be. Returns how many of all need not be."""
        with self._working() as connection, connection.transaction():
            known = context.note_seen(connection, live) if live else 0
            return known + (context.note_seen(connection, backfilled, context.BACKFILL) if backfilled else 0)

    def move(self, page: Page, title: str, event_time: datetime) -> None:
        """What is known of a page goes with it."""
        with self._working() as connection, connection.transaction():
            context.move(connection, page.wiki, page.title, title, event_time)

    def forget(self, page: Page) -> None:
        """It was deleted."""
        with self._working() as connection:
            context.forget(connection, [page])

    def take_turn(self) -> bool:
        """Whether this process is the one that asks. It stays so until this store is closed or loses its connection."""
        with self._working() as connection:
            return locks.take(connection, Lock.ASKING_ABOUT_PAGES)

    def claim(self, limit: int, wiki: str | None = None) -> Sequence[Due]:
        """Pages to ask about now."""
        with self._working() as connection:
            return context.claim(connection, limit, wiki)

    def describe(self, answered: Answered) -> None:
        """Keep what was answered."""
        with self._working() as connection, connection.transaction():
            context.describe(connection, answered)

    def note_failure(self, pages: Collection[Page], error: str) -> None:
        """These are tried again later."""
        with self._working() as connection:
            context.note_failure(connection, pages, error)

    def release(self, pages: Collection[Page]) -> None:
        """These were not asked about after all."""
        with self._working() as connection:
            context.release(connection, pages)

    def waiting(self) -> Waiting:
        """How much is to be asked."""
        with self._working() as connection:
            return context.waiting(connection)

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
                    self._open = psycopg.connect(self._conninfo, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
                yield self._open
        except TransientError:
            self.close()
            raise
