"""What the routes work with: the settings, connections, the embedder of queries, the feed, the layers, the model."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends, Request
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from api.answers.model import Model
from api.feed.reader import FeedReader
from api.layers.views import Layers
from api.query_vectors import QueryVectors
from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.store.lexicon import Lexicon
from freshet.store.search import configure

Pool = AsyncConnectionPool[AsyncConnection[Any]]

CONNECTIONS = 8
# A request waits so long for a connection before it is answered with 503.
WAIT_S = 2.0
# An answer takes seconds anyway: before it waits for a connection it may wait so long for its turn to.
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Services:
    """One a process, made at the start."""

    settings: Settings
    pool: Pool
    vectors: QueryVectors
    feed: FeedReader
    layers: Layers
    model: Model | None
    lexicon: Lexicon = field(default_factory=Lexicon)
    # Answers come in hundreds at once: they wait in line for some of the connections, so that others find one.
    answering: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS - 2))
    # Tracing reads files and waits for a broker: a few at a time, so that it cannot take every thread.
    tracing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(6))

    @asynccontextmanager
    async def connection_in_turn(self) -> AsyncGenerator[AsyncConnection[Any]]:
        """A connection for an answer, in its turn. Raises TransientError when that does not come, and psycopg.Error as
        the pool does."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.answering.acquire()
        except TimeoutError as error:
            raise TransientError(f"no connection to the store within {PATIENCE_S} s") from error
        try:
            async with self.pool.connection() as connection:
                yield connection
        finally:
            self.answering.release()


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


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]
