"""`GET /v1/documents/{doc_id}` and its trace."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path

from api import problems
from api.models.documents import DOCUMENT, DocumentOut
from api.models.traces import TraceOut
from api.services import Provided, Services
from api.steps import steps
from api.trace import trace
from freshet import __version__
from freshet.store import lookup, search

router = APIRouter(prefix="/v1/documents", tags=["documents"], responses=problems.NOT_FOUND)

DocId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=[DOCUMENT["doc_id"]])]


@router.get("/{doc_id}")
async def document(doc_id: DocId, services: Provided) -> DocumentOut:
    """One document with everything that is known of it."""
    gold, _ = await _gold(services, doc_id)
    return DocumentOut(**gold)


@router.get("/{doc_id}/trace")
async def document_trace(doc_id: DocId, services: Provided) -> TraceOut:
    """The way one document came: gold, silver, bronze, the raw record by its coordinates, and what each step did."""
    gold, model = await _gold(services, doc_id)
    silver, bronze, raw = await trace(services.settings, gold, services.tracing)
    return TraceOut(
        doc_id=doc_id,
        gold=DocumentOut(**gold),
        silver=silver,
        bronze=bronze,
        raw=raw,
        steps=steps(raw, silver, gold),
        versions={"freshet": __version__, "transform": gold["transform_version"], "embedding_model": model},
        replay=f"freshet replay --offsets {gold['raw_partition']}:{gold['raw_offset']}",
    )


async def _gold(services: Services, doc_id: str) -> tuple[Mapping[str, Any], str | None]:
    async with services.pool.connection() as connection:
        gold = await lookup.document(connection, doc_id)
        model = await search.active_model(connection)
    if gold is None:
        raise HTTPException(404, "There is no document with this id.")
    return gold, model.model_id if model else None
