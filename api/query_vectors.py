"""Vectors of queries: made in a thread, one at a time, and remembered."""

from collections import OrderedDict

import numpy as np
import numpy.typing as npt
from anyio import CapacityLimiter, to_thread

from freshet.embedding import Embedder

# 384 float32 numbers each: 3 MB in all. Asking again costs nothing, where embedding costs some 10 ms of a core.
REMEMBERED = 2048


class QueryVectors:
    """The query side of an embedder."""

    def __init__(self, embedder: Embedder, remembered: int = REMEMBERED) -> None:
        self.model_id = embedder.model_id
        self.dimensions = embedder.dimensions
        self._embedder = embedder
        self._remembered = remembered
        self._vectors: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()
        # Made within the running event loop, and one: a second session would only take the core from the first.
        self._limiter = CapacityLimiter(1)

    async def vector(self, query: str) -> npt.NDArray[np.float32]:
        """The query's vector, shape (dimensions,). Raises what the embedder raises, a FreshetError."""
        if query in self._vectors:
            self._vectors.move_to_end(query)
            return self._vectors[query]
        made = await to_thread.run_sync(self._embedder.embed, [query], limiter=self._limiter)
        self._vectors[query] = made[0]
        if len(self._vectors) > self._remembered:
            self._vectors.popitem(last=False)
        return self._vectors[query]
