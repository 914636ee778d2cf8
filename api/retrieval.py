"""From a question to what was found, whatever part is missing: without vectors the words alone search."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from api.query_vectors import OverloadedError, QueryVectors
from api.remembered import Remembered
from api.turns import Turns
from freshet.errors import FreshetError
from freshet.store import lookup
from freshet.store import search as store
from freshet.store.filters import Filters
from freshet.store.lexicon import Lexicon
from freshet.store.lookup import Extent, Newest
from freshet.telemetry import logs

SHARED_S: Final = 0.5
"""Those who ask the same within this time share a search."""

EXTENT_S: Final = 2.0
"""How much there is to search is counted anew so often: of 110,000 documents that takes 140 ms."""

UNEMBEDDED: Final = "the query could not be embedded: searched by words only"


@dataclass(frozen=True)
class Retrieved:
    """`degraded` names each part that did not take part, with the reason; `newest` is how fresh the store was."""

    found: Sequence[store.Found]
    newest: Newest
    degraded: dict[str, str]


class Retrieval:
    """Searches, one for all who ask the same at once. Both methods raise psycopg.Error or TransientError when Postgres
    does not answer."""

    def __init__(self, turns: Turns, vectors: QueryVectors, half_life_hours: float) -> None:
        self._turns = turns
        self._vectors = vectors
        self._half_life_hours = half_life_hours
        self._lexicon = Lexicon()
        self._searched = Remembered(self._search, SHARED_S)
        self._counted = Remembered(self._count, EXTENT_S)

    async def search(self, text: str, filters: Filters, limit: int, *, collapse: bool = False) -> Retrieved:
        """The best documents. Raises OverloadedError when too many ask."""
        return await self._searched(text, filters, limit, collapse)

    async def extent(self, filters: Filters) -> Extent:
        """What the filters leave to search."""
        return await self._counted(filters)

    def mismatch(self, model: store.Model | None) -> str | None:
        """Why queries cannot be compared with the store's vectors, or None when they can."""
        if model is None:
            return "no embedding model is active in the store yet: searched by words only"
        if model.model_id != self._vectors.model_id or model.dimensions != self._vectors.dimensions:
            return f"the store's active model is {model.model_id}, this API's {self._vectors.model_id}: words only"
        return None

    async def _search(self, text: str, filters: Filters, limit: int, collapse: bool) -> Retrieved:
        # before there is a connection: a query may have to wait for its vector
        vector = await self._vector(text)
        async with self._turns.connection() as connection:
            model = await store.active_model(connection)
            reason = self.mismatch(model) or (UNEMBEDDED if vector is None else None)
            query = store.Query(text, None if reason else vector, filters, limit, collapse, self._half_life_hours)
            found = await store.search(connection, model, query, self._lexicon)
            newest = await lookup.newest(connection)
        return Retrieved(found, newest, {"vector": reason} if reason else {})

    async def _vector(self, text: str) -> npt.NDArray[np.float32] | None:
        try:
            return await self._vectors.vector(text)
        except OverloadedError:
            raise
        except FreshetError as error:
            logs.get().warning("query not embedded", error=str(error))
            return None

    async def _count(self, filters: Filters) -> Extent:
        async with self._turns.connection() as connection:
            return await lookup.extent(connection, filters)


def described(found: store.Found, now: datetime) -> dict[str, Any]:
    """What an answer's models take of a document: its columns, and how old the edit is."""
    return {**vars(found), "age_seconds": round((now - found.event_time).total_seconds(), 3)}
