"""Connections to the store, taken in turns: those who ask come in hundreds at once, and there are few connections."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.store.search import configure

Pool = AsyncConnectionPool[AsyncConnection[Any]]

CONNECTIONS: Final = 8

WAIT_S: Final = 2.0
"""A request waits so long for a connection before it is answered with 503."""

PATIENCE_S: Final = 10.0
"""A question may wait so long for its turn, before it waits for a connection."""


class Turns:
    """Who searches waits in line for some of the pool's connections, so that others find one."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._line = asyncio.Semaphore(CONNECTIONS - 2)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[AsyncConnection[Any]]:
        """A connection, in turn. Raises TransientError when that does not come, and psycopg.Error as the pool does."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._line.acquire()
        except TimeoutError as error:
            raise TransientError(f"no connection to the store within {PATIENCE_S:g} s") from error
        try:
            async with self._pool.connection() as connection:
                yield connection
        finally:
            self._line.release()


def open_pool(settings: Settings) -> Pool:
    """A pool that opens without Postgres and finds it whenever it is there, also after the server came back."""
    return AsyncConnectionPool(
        # asked for at each connection: the embedded server's password may not be there yet
        lambda: settings.conninfo,
        kwargs={"application_name": "freshet-api", "connect_timeout": 2},
        configure=configure,
        check=AsyncConnectionPool.check_connection,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=WAIT_S,
        # Given up soon, because the next request tries anew at once; waiting longer only backs off further.
        reconnect_timeout=1.0,
        open=False,
        name="api",
    )
