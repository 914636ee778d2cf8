"""From a query to what was found, whatever part is missing: without vectors the words alone search."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from api.query_vectors import OverloadedError
from api.services import Services
from freshet.errors import FreshetError
from freshet.store import search
from freshet.store.filters import Filters
from freshet.telemetry import logs


@dataclass(frozen=True)
class Retrieved:
    """`degraded` names each part that did not take part, with the reason."""

    found: list[search.Found]
    degraded: dict[str, str]


async def retrieve(
    services: Services,
    connection: AsyncConnection[Any],
    text: str,
    filters: Filters,
    limit: int,
    *,
    collapse: bool = False,
) -> Retrieved:
    """Search for `text`. Raises psycopg.Error when Postgres does not answer, OverloadedError under too many."""
    model = await search.active_model(connection)
    reason = mismatch(services, model)
    vector = None
    if reason is None:
        try:
            vector = await services.vectors.vector(text)
        except OverloadedError:
            raise
        except FreshetError as error:
            logs.get().warning("query not embedded", error=str(error))
            reason = "the query could not be embedded: searched by words only"
    half_life = services.settings.search_half_life_hours
    query = search.Query(text, vector, filters, limit, collapse, half_life)
    found = await search.search(connection, model, query, services.lexicon)
    return Retrieved(found, {"vector": reason} if reason else {})


def described(found: search.Found, now: datetime) -> dict[str, Any]:
    """What an answer's models take of a document: its columns, and how old the edit is."""
    return {**vars(found), "age_seconds": round((now - found.event_time).total_seconds(), 3)}


def mismatch(services: Services, model: search.Model | None) -> str | None:
    """Why queries cannot be compared with the store's vectors, or None when they can."""
    if model is None:
        return "no embedding model is active in the store yet: searched by words only"
    if model.model_id != services.vectors.model_id or model.dimensions != services.vectors.dimensions:
        return f"the store's active model is {model.model_id}, this API's {services.vectors.model_id}: words only"
    return None
