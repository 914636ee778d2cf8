"""`GET /v1/documents/{doc_id}` and its trace."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, HTTPException, Path

from api import problems
from api.models.documents import DOCUMENT, DocumentOut, GoldOut
from api.models.traces import RemovedOut, TraceOut
from api.services import Provided, Services
from api.steps import steps
from api.trace import trace, traced_page
from freshet import __version__
from freshet.store import lookup, search
from freshet.store.lookup import KnownPage
from freshet.store.removed import Removed, removed

router = APIRouter(prefix="/v1/documents", tags=["documents"], responses=problems.NOT_FOUND)

DocId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=[DOCUMENT["doc_id"]])]


_REASONS: Final = {
    ("page", "stream"): "its page was deleted",
    ("revision", "stream"): "its text, summary or user was hidden on the wiki",
    ("page", "hand"): "its page was removed by hand",
    ("user", "hand"): "its user was removed by hand",
    ("event", "hand"): "it was removed by hand",
}


@router.get("/{doc_id}", responses=problems.GONE)
async def document(doc_id: DocId, services: Provided) -> DocumentOut:
    """One document with everything that is known of it, but people's addresses."""
    kept = await _kept(services, doc_id)
    if isinstance(kept, Removed):
        raise HTTPException(410, f"The document was removed on {kept.removed_at:%Y-%m-%d}: {_reason(kept)}.")
    return DocumentOut(**kept.gold, page=traced_page(kept.page).known)


@router.get("/{doc_id}/trace")
async def document_trace(doc_id: DocId, services: Provided) -> TraceOut | RemovedOut:
    """The way one document came: gold, silver, bronze, the raw record by its coordinates, what each step did, and what
    is known of its page. Of one that was removed: when and why."""
    kept = await _kept(services, doc_id)
    if isinstance(kept, Removed):
        again = f"{_replay(kept.raw_partition, kept.raw_offset)} --resend --apply" if kept.lifted else None
        return RemovedOut(**vars(kept), reason=_reason(kept), replay=again)
    gold, page, model = kept
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
        replay=_replay(gold["raw_partition"], gold["raw_offset"]),
    )


class _Kept(NamedTuple):
    """A document as the store has it, what it has of its page, and the name of the active model."""

    gold: Mapping[str, Any]
    page: KnownPage | None
    model: str | None


def _replay(partition: int, offset: int) -> str:
    return f"freshet replay --offsets {partition}:{offset}"


def _reason(removed: Removed) -> str:
    return _REASONS.get((removed.kind, removed.origin), "it was removed")


async def _kept(services: Services, doc_id: str) -> _Kept | Removed:
    async with services.pool.connection() as connection:
        if gone := await removed(connection, doc_id):
            return gone
        gold = await lookup.document(connection, doc_id)
        if gold is None:
            raise HTTPException(404, "There is no document with this id.")
        page = await lookup.page(connection, gold["wiki"], gold["title"])
        model = await search.active_model(connection)
    return _Kept(gold, page, model.model_id if model else None)
