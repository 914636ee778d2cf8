"""`POST /v1/search`."""

import time
from datetime import UTC, datetime

from fastapi import APIRouter

from api.answers.extractive import supports
from api.models.search import Newest, Result, SearchIn, SearchOut
from api.retrieval import described
from api.services import Provided
from freshet.store.search import Found

router = APIRouter(prefix="/v1", tags=["search"])


@router.post("/search")
async def search_documents(asked: SearchIn, services: Provided) -> SearchOut:
    """Find edits by meaning and by words, fused, best first."""
    begun = time.perf_counter()
    filters = asked.filters.to_store()
    retrieved = await services.retrieval.search(asked.query, filters, asked.limit, collapse=asked.collapse)
    now = datetime.now(UTC)
    return SearchOut(
        query=asked.query,
        results=[_result(found, now) for found in retrieved.found],
        freshness=Newest(**vars(retrieved.newest)),
        took_ms=round((time.perf_counter() - begun) * 1000, 1),
        degraded=retrieved.degraded,
    )


def _result(found: Found, now: datetime) -> Result:
    return Result(**described(found, now), supports=supports(found))
