"""The layers as the routes ask for them: remembered for a moment, so that a hundred who poll cost one look."""

from typing import Any, Final

from anyio import to_thread
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from api.layers import lake
from api.layers.broker import Broker, LogView
from api.models.freshness import LakeOut
from api.remembered import Remembered
from freshet.settings import Settings
from freshet.store import lookup

STORE_S: Final = 1.0
LOG_S: Final = 1.0
PING_S: Final = 2.0
LAKE_S: Final = 5.0
"""A table of 1,500 files takes 20 ms to open, and gets a commit twice a minute."""


class Layers:
    """One a process."""

    def __init__(self, settings: Settings, pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
        broker = Broker(settings)

        async def stored(window_minutes: int) -> lookup.Freshness:
            async with pool.connection() as connection:
                return await lookup.freshness(connection, window_minutes)

        async def logged() -> LogView:
            return await to_thread.run_sync(broker.look)

        async def committed() -> LakeOut:
            return await to_thread.run_sync(lake.look, settings.lake)

        async def pinged() -> str:
            return await to_thread.run_sync(broker.ping)

        self.store = Remembered(stored, STORE_S)
        self.log = Remembered(logged, LOG_S)
        self.lake = Remembered(committed, LAKE_S)
        self.kafka = Remembered(pinged, PING_S)
