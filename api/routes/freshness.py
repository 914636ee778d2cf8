"""`GET /v1/freshness`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.models.freshness import Delays, FreshnessOut, LayersOut, SearchableOut
from api.services import Provided
from freshet.offsets import age

router = APIRouter(prefix="/v1", tags=["freshness"])


@router.get("/freshness")
async def freshness(services: Provided, window_minutes: Annotated[int, Query(ge=1, le=1440)] = 5) -> FreshnessOut:
    """How fresh the store is, the delays of what became searchable in the window, and every layer before it.

    The log and the lake may be away: then their `status` says so. Answers are up to a second old, the lake's five.
    """
    layers = services.layers
    store, log, lake = await asyncio.gather(layers.store(window_minutes), layers.log(), layers.lake())
    newest_at = store.newest_searchable_at
    searchable = SearchableOut(
        documents=store.documents,
        newest_at=newest_at,
        age_seconds=age(newest_at, datetime.now(UTC)) if newest_at else None,
    )
    return FreshnessOut(
        **vars(store),
        window_minutes=window_minutes,
        received_to_searchable_ms=Delays(**vars(store)),
        layers=LayersOut(log=log.log, lake=lake, searchable=searchable),
        lag=log.lag,
    )
