"""From a question to what was found, whatever part is missing: without vectors the words alone search."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import psycopg
from opentelemetry.trace import SpanKind
from psycopg import AsyncConnection

from api.models.pages import page_out
from api.models.search import Scores
from api.query_models import QueryModels
from api.remembered import Remembered
from api.turns import Turns
from freshet.errors import TransientError
from freshet.store import lookup
from freshet.store import search as store
from freshet.store.filters import Filters
from freshet.store.lexicon import Lexicon
from freshet.store.lookup import Extent, Newest
from freshet.store.models import Model
from freshet.telemetry import traces

SHARED_S: Final = 0.5
"""Those who ask the same within this time share a search."""

EXTENT_S: Final = 2.0
"""How much there is to search is counted anew so often: of 110,000 documents that takes 140 ms."""

TRIES: Final = 3
"""How often a search begins anew because the model that it was to be made with has changed."""

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

    def __init__(self, turns: Turns, models: QueryModels, half_life_hours: float) -> None:
        self._turns = turns
        self._models = models
        self._half_life_hours = half_life_hours
        self._lexicon = Lexicon()
        self._searched = Remembered(self._search, SHARED_S)
        self._counted = Remembered(self._count, EXTENT_S)

    async def search(self, text: str, filters: Filters, limit: int, *, collapse: bool = False) -> Retrieved:
        """The best documents. Raises OverloadedError when too many ask."""
        # of those who share a search the first has its parts below this
        with traces.span("retrieve") as span:
            retrieved = await self._searched(text, filters, limit, collapse)
            span.set_attributes({"freshet.found": len(retrieved.found), "freshet.degraded": [*retrieved.degraded]})
            return retrieved

    async def extent(self, filters: Filters) -> Extent:
        """What the filters leave to search."""
        return await self._counted(filters)

    def mismatch(self, known: Sequence[Model]) -> str | None:
        """Why queries cannot be compared with the store's vectors, or None when they can."""
        return self._models.mismatch(known)

    async def _search(self, text: str, filters: Filters, limit: int, collapse: bool) -> Retrieved:
        for _ in range(TRIES):
            # before there is a connection: a query may have to wait for its vector
            embedded = await self._models.embed(text)
            query = store.Query(text, embedded.vector, filters, limit, collapse, self._half_life_hours)
            if retrieved := await self._find(query, embedded.model_id):
                return retrieved
        raise TransientError("the store's models change faster than it is searched")

    async def _find(self, query: store.Query, model_id: str) -> Retrieved | None:
        """What is found; None when another model than that of the query's vector is the one to search with by now."""
        async with self._traced("search") as connection:
            known = await store.models(connection)
            model = self._models.choose(known)
            if self._models.current != model_id:
                return None
            reason = self.mismatch(known) or (UNEMBEDDED if query.vector is None else None)
            if reason:
                query = replace(query, vector=None)
            try:
                found = await store.search(connection, model, query, self._lexicon)
            except psycopg.errors.UndefinedTable:
                # dropped since the models were listed
                return None
            newest = await lookup.newest(connection)
        return Retrieved(found, newest, {"vector": reason} if reason else {})

    async def _count(self, filters: Filters) -> Extent:
        async with self._traced("count") as connection:
            return await lookup.extent(connection, filters)

    @asynccontextmanager
    async def _traced(self, operation: str) -> AsyncGenerator[AsyncConnection[Any]]:
        """A connection, and a span that begins with the wait for it."""
        what = {"db.system.name": "postgresql", "db.operation.name": operation, "db.collection.name": "documents"}
        with traces.span(f"{operation} documents", what, kind=SpanKind.CLIENT) as span:
            async with self._turns.connection() as connection:
                span.add_event("connected")
                yield connection


def described(found: store.Found, now: datetime) -> dict[str, Any]:
    """What an answer's models take of a document: its columns, how old the edit is, what its page is, and how it was
    found."""
    return {
        **vars(found),
        "age_seconds": round((now - found.event_time).total_seconds(), 3),
        "page": page_out(found.page_item_id, found.page_label, found.page_description, found.page_origin),
        "scores": Scores(vector=found.cosine, page=found.page_cosine, words=found.coverage),
    }
