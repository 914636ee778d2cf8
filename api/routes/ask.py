"""`POST /v1/ask`."""

import time
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import APIRouter

from api import time_words
from api.answers import extractive
from api.models.answers import AskIn, AskOut, Citation, WindowOut
from api.models.search import Newest
from api.retrieval import described, retrieve
from api.services import Provided
from freshet.store import lookup
from freshet.telemetry import metrics

router = APIRouter(prefix="/v1", tags=["ask"])

# More than are cited, because the fused order is not the order of support: an edit near in meaning may come after
# several that share one word with the question.
CONSIDERED = 50


@router.post("/ask")
async def ask(asked: AskIn, services: Provided) -> AskOut:
    """Answer from the edits, each sentence cited; refuse when no edit supports an answer."""
    begun = time.perf_counter()
    filters = asked.filters.to_store()
    window = time_words.read(asked.question, datetime.now(UTC)) if asked.time_words else None
    query = (window.rest if window else "") or asked.question
    if filters.since or filters.until:
        window = None
    if window:
        filters = replace(filters, since=window.since, until=window.until)
    async with services.pool.connection() as connection:
        retrieved = await retrieve(services, connection, query, filters, CONSIDERED)
        searched = await lookup.extent(connection, filters)
        newest = await lookup.newest(connection)
    now = datetime.now(UTC)
    answer = extractive.answer(retrieved.found, searched, now, asked.limit, window.words if window else None)
    metrics.ANSWERS.labels(answer.outcome).inc()
    return AskOut(
        question=asked.question,
        answer=answer.text,
        outcome=answer.outcome,
        answerer="extractive",
        citations=[
            Citation(**described(cited.found, now), n=cited.n, quote=cited.found.text) for cited in answer.citations
        ],
        window=WindowOut(words=window.words, since=window.since, until=window.until) if window else None,
        freshness=Newest(**vars(newest)),
        sources=searched.sources,
        took_ms=round((time.perf_counter() - begun) * 1000, 1),
        degraded=retrieved.degraded,
    )
