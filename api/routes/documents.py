"""`GET /v1/documents/{doc_id}` and its trace."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, HTTPException, Path

from api import problems
from api.models.documents import DOCUMENT, DocumentOut, GoldOut
from api.models.traces import TraceOut
from api.services import Provided, Services
from api.steps import steps
from api.trace import trace, traced_page
from freshet import __version__
from freshet.store import lookup, search
from freshet.store.lookup import KnownPage

router = APIRouter(prefix="/v1/documents", tags=["documents"], responses=problems.NOT_FOUND)

DocId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=[DOCUMENT["doc_id"]])]


@router.get("/{doc_id}")
async def document(doc_id: DocId, services: Provided) -> DocumentOut:
    """One document with everything that is known of it."""
    kept = await _kept(services, doc_id)
    return DocumentOut(**kept.gold, page=traced_page(kept.page).known)


@router.get("/{doc_id}/trace")
async def document_trace(doc_id: DocId, services: Provided) -> TraceOut:
    """The way one document came: gold, silver, bronze, the raw record by its coordinates, what each step did, and what
    is known of its page."""
    gold, page, model = await _kept(services, doc_id)
    silver, bronze, raw = await trace(services.settings, gold, services.tracing)
    return TraceOut(
        doc_id=doc_id,
        gold=GoldOut(**gold),
        page=traced_page(page),
        silver=silver,
        bronze=bronze,
        raw=raw,
        steps=steps(raw, silver, gold),
        versions={"freshet": __version__, "transform": gold["transform_version"], "embedding_model": model},
        replay=f"freshet replay --offsets {gold['raw_partition']}:{gold['raw_offset']}",
    )


class _Kept(NamedTuple):
    """A document as the store has it, what it has of its page, and the name of the active model."""

    gold: Mapping[str, Any]
    page: KnownPage | None
    model: str | None


async def _kept(services: Services, doc_id: str) -> _Kept:
    async with services.pool.connection() as connection:
        gold = await lookup.document(connection, doc_id)
        if gold is None:
            raise HTTPException(404, "There is no document with this id.")
        page = await lookup.page(connection, gold["wiki"], gold["title"])
        model = await search.active_model(connection)
    return _Kept(gold, page, model.model_id if model else None)
