"""For whoever runs it: is it alive, is it ready, how does it do."""

import asyncio

import psycopg
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api import freshness_checks, problems
from api.models.health import ReadyOut
from api.services import Provided, Services
from freshet.store import lookup, search

router = APIRouter(tags=["health"])


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """Alive: it answers."""
    return "ok\n"


@router.get("/readyz", response_model=ReadyOut, responses=problems.UNAVAILABLE)
async def readyz(request: Request, services: Provided) -> ReadyOut | JSONResponse:
    """Ready: it can search, for which Postgres is needed and nothing else.

    Without a fitting embedding model it searches by words; without Kafka it has no feed, and traces lack the record.
    """
    (postgres, embedding), kafka = await asyncio.gather(_store(services), services.layers.kafka())
    states = {"postgres": postgres, "embedding": embedding, "kafka": kafka}
    if postgres == "ok":
        return ReadyOut(dependencies=states)
    return problems.respond(request, 503, f"Postgres: {postgres}.", dependencies=states)


@router.get("/metrics", response_class=PlainTextResponse)
async def exposition(services: Provided) -> Response:
    """Metrics in Prometheus' text format, and what the last freshness check found."""
    await freshness_checks.show(services.pool)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _store(services: Services) -> tuple[str, str]:
    try:
        async with services.pool.connection() as connection:
            await lookup.ping(connection)
            models = await search.models(connection)
    except psycopg.OperationalError:
        return "does not answer", "unknown while Postgres does not answer"
    except psycopg.errors.UndefinedTable:
        return "its migrations have not run", "unknown before the migrations"
    return "ok", services.retrieval.mismatch(models) or "ok"
