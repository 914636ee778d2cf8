"""Vectors of queries: made in one thread, those that wait together in one call, and remembered.

Clients take turns: who asks much waits behind its own questions, and not others behind those.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from time import perf_counter
from typing import Final

import numpy as np
import numpy.typing as npt
from anyio import to_thread

from api.asker import CLIENT
from freshet.embedding import Embedder
from freshet.errors import TransientError

Vector = npt.NDArray[np.float32]

# 384 float32 numbers each: 3 MB in all. Asking again costs nothing, where embedding costs some 10 ms of a core.
REMEMBERED: Final = 2048

TOGETHER: Final = 16
"""Most queries in one call: so long, and no longer, does one wait for those that came before it."""

FIRST_GUESS_S: Final = 0.01
LEARNING: Final = 0.2


class OverloadedError(TransientError):
    """More questions wait for their vectors than can be made in time."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Too many questions at once: this one would wait {wait_s:.1f} s. Try again.")
        self.wait_s = wait_s


class QueryVectors:
    """The query side of an embedder. `deadline_s` bounds how long a query may wait for its vector."""

    def __init__(self, embedder: Embedder, deadline_s: float) -> None:
        self.model_id = embedder.model_id
        self.dimensions = embedder.dimensions
        self._embedder = embedder
        self._deadline_s = deadline_s
        self._vectors: OrderedDict[str, Vector] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[Vector]] = {}
        self._lines: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._making: dict[str, None] = {}
        self._worker: asyncio.Task[None] | None = None
        self._seconds_each = FIRST_GUESS_S

    async def vector(self, query: str) -> Vector:
        """The query's vector, shape (dimensions,). Raises OverloadedError and what the embedder raises."""
        if query in self._vectors:
            self._vectors.move_to_end(query)
            return self._vectors[query]
        client = CLIENT.get()
        if query not in self._waiting:
            wait_s = (len(self._making) + self._before(client) + 1) * self._seconds_each
            if wait_s > self._deadline_s:
                raise OverloadedError(wait_s)
            self._waiting[query] = asyncio.get_running_loop().create_future()
        if query not in self._making:
            self._lines.setdefault(client, {})[query] = None
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        # shielded: who leaves does not take it from the others who asked the same
        return await asyncio.shield(self._waiting[query])

    async def _work(self) -> None:
        while queries := self._next():
            begun = perf_counter()
            try:
                made = await to_thread.run_sync(self._embedder.embed, queries)
            except Exception as error:  # noqa: BLE001  (the top of a loop: whoever waits must hear of it)
                self._refuse(queries, error)
                continue
            self._seconds_each += LEARNING * ((perf_counter() - begun) / len(queries) - self._seconds_each)
            for query, vector in zip(queries, made, strict=True):
                self._remember(query, vector)
                self._waiting.pop(query).set_result(vector)

    def _before(self, client: str) -> int:
        """How many queries are made before another one of this client."""
        own = len(self._lines.get(client, ()))
        return own + sum(min(len(line), own + 1) for name, line in self._lines.items() if name != client)

    def _next(self) -> list[str]:
        """The queries of the next call, one of each client in turn."""
        self._making = {}
        while self._lines and len(self._making) < TOGETHER:
            client, line = self._lines.popitem(last=False)
            query = next(iter(line))
            del line[query]
            if line:
                self._lines[client] = line
            # another client may have asked the same
            if query in self._waiting:
                self._making[query] = None
        return list(self._making)

    def _refuse(self, queries: Sequence[str], error: Exception) -> None:
        for query in queries:
            future = self._waiting.pop(query)
            future.set_exception(error)
            # nobody may be left to see it
            future.exception()

    def _remember(self, query: str, vector: Vector) -> None:
        self._vectors[query] = vector
        if len(self._vectors) > REMEMBERED:
            self._vectors.popitem(last=False)
