"""`GET /v1/stats`: what is being edited."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.models.stats import BusyPageOut, CountOut, StatsOut
from api.services import Provided
from freshet.store import stats

router = APIRouter(prefix="/v1", tags=["stats"])


@router.get("/stats")
async def statistics(
    services: Provided,
    window_minutes: Annotated[int, Query(ge=1, le=10_080)] = 60,
    most: Annotated[int, Query(ge=1, le=100, description="most rows of each list")] = 10,
) -> StatsOut:
    """Documents of the last `window_minutes` by event time: how many, by wiki, type and kind of user; busiest pages."""
    async with services.pool.connection() as connection:
        return StatsOut(
            window_minutes=window_minutes,
            documents=await stats.total(connection, window_minutes),
            by_wiki=[CountOut(**vars(row)) for row in await stats.by(connection, "wiki", window_minutes, most)],
            by_type=[CountOut(**vars(row)) for row in await stats.by(connection, "type", window_minutes, most)],
            by_user_kind=[
                CountOut(**vars(row)) for row in await stats.by(connection, "user_kind", window_minutes, most)
            ],
            pages=[BusyPageOut(**vars(row)) for row in await stats.busy_pages(connection, window_minutes, most)],
        )
