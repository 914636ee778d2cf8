"""Answers on their way into the store: those that are ready at the same moment go in one statement."""

import asyncio

import psycopg

from api.turns import Turns
from freshet.errors import TransientError
from freshet.store import answers
from freshet.store.answers import Given
from freshet.telemetry import logs, metrics


class Keeper:
    """One a process."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._ready: list[Given] = []
        self._next: asyncio.Task[None] | None = None
        self._storing = asyncio.Lock()

    async def keep(self, given: Given) -> None:
        """Store an answer, or count and log that it could not be: nobody's answer fails for that."""
        self._ready.append(given)
        if self._next is None:
            self._next = asyncio.create_task(self._store())
        # whoever leaves does not end what stores the others' answers
        await asyncio.shield(self._next)

    async def _store(self) -> None:
        # while the answers before are being stored others join these
        async with self._storing:
            taken, self._ready, self._next = self._ready, [], None
            try:
                async with self._turns.connection() as connection:
                    await answers.keep(connection, taken)
            except (psycopg.Error, TransientError) as error:
                metrics.UNSTORED.inc(len(taken))
                ids = [str(one.answer_id) for one in taken]
                logs.get().warning("answers were not stored", answer_ids=ids, error=str(error))
