"""`POST /v1/search` and `GET /v1/freshness`."""

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.models import Delays, FreshnessOut, Newest, Result, Scores, SearchIn, SearchOut
from api.retrieval import retrieve
from api.services import Provided
from freshet.store import lookup
from freshet.store.search import Found

router = APIRouter(prefix="/v1", tags=["search"])


@router.post("/search")
async def search_documents(asked: SearchIn, services: Provided) -> SearchOut:
    """Find edits by meaning and by words, fused, best first."""
    begun = time.perf_counter()
    async with services.pool.connection() as connection:
        retrieved = await retrieve(services, connection, asked.query, asked.filters.to_store(), asked.limit)
        newest = await lookup.newest(connection)
    now = datetime.now(UTC)
    return SearchOut(
        query=asked.query,
        results=[_result(found, now) for found in retrieved.found],
        freshness=Newest(**vars(newest)),
        took_ms=round((time.perf_counter() - begun) * 1000, 1),
        degraded=retrieved.degraded,
    )


@router.get("/freshness")
async def freshness(services: Provided, window_minutes: Annotated[int, Query(ge=1, le=1440)] = 5) -> FreshnessOut:
    """How fresh the store is, and the delays of what became searchable in the window."""
    async with services.pool.connection() as connection:
        now = await lookup.freshness(connection, window_minutes)
    return FreshnessOut(
        newest_event_time=now.newest_event_time,
        newest_received_at=now.newest_received_at,
        newest_searchable_at=now.newest_searchable_at,
        documents=now.documents,
        pending_embeddings=now.pending_embeddings,
        source=now.source,
        window_minutes=window_minutes,
        received_to_searchable_ms=Delays(p50=now.p50, p95=now.p95, p99=now.p99, max=now.max, count=now.count),
    )


def _result(found: Found, now: datetime) -> Result:
    return Result(
        doc_id=found.doc_id,
        event_id=found.event_id,
        title=found.title,
        wiki=found.wiki,
        language=found.language,
        section=found.section,
        comment=found.comment,
        text=found.text,
        event_time=found.event_time,
        age_seconds=round((now - found.event_time).total_seconds(), 3),
        user_kind=found.user_kind,
        bytes_delta=found.bytes_delta,
        page_url=found.page_url,
        diff_url=found.diff_url,
        revert_kind=found.revert_kind,
        source=found.source,
        score=found.score,
        scores=Scores(vector=found.cosine, words=found.words_rank, coverage=found.coverage),
    )
