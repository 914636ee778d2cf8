"""`GET /v1/pipeline`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.models.fields import Moment
from api.models.freshness import Delays
from api.models.pipeline import BreachOut, CheckOut, ChecksOut, PipelineOut
from api.pipeline.verdict import Seen, judge
from api.pipeline.views import StoreNow
from api.services import Provided
from freshet.offsets import age

router = APIRouter(prefix="/v1", tags=["freshness"])
NO_DELAYS = Delays(p50=None, p95=None, p99=None, max=None, count=0)


@router.get("/pipeline")
async def pipeline(
    services: Provided,
    since: Annotated[Moment | None, Query(description="only points of the history after this")] = None,
) -> PipelineOut:
    """Whether edits become searchable in time, the first stage that is broken where they do not, every process, the
    last hour, the last freshness checks, what is known of pages and the latest runs of Airflow.

    Each part that is away says so, and the answer is 200 all the same. It is up to two seconds old, Airflow's part and
    pages ten.
    """
    parts = services.pipeline
    log, stored, processes, sources, pages, upkeep = await asyncio.gather(
        parts.log(), parts.store(), parts.processes(), parts.sources(), parts.pages(), parts.upkeep()
    )
    now = datetime.now(UTC)
    newest_at = stored.progress.newest_searchable_at if isinstance(stored, StoreNow) else None
    seen = Seen(now, log, stored if isinstance(stored, str) else newest_at, processes)
    return PipelineOut(
        now=now,
        verdict=judge(seen, services.settings),
        newest_searchable_at=newest_at,
        age_seconds=age(newest_at, now) if newest_at else None,
        threshold_seconds=services.settings.sla_searchable_age_s,
        sources=sources,
        window=Delays(**vars(stored.progress)) if isinstance(stored, StoreNow) else NO_DELAYS,
        processes=processes,
        history=parts.history.since(since),
        checks=_checks(stored),
        breaches=[BreachOut(**vars(one)) for one in stored.breaches] if isinstance(stored, StoreNow) else [],
        pages=pages,
        upkeep=upkeep,
    )


def _checks(stored: StoreNow | str) -> ChecksOut:
    if isinstance(stored, str):
        return ChecksOut(status=stored, checked_at=None, checks=[])
    checks = [CheckOut(**vars(check)) for check in stored.checks]
    return ChecksOut(status="ok", checked_at=stored.checked_at, checks=checks)
