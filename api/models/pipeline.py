"""The pipeline: whether edits become searchable in time, what stands in the way, and how it went."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.models.freshness import Delays

State = Literal["fresh", "late", "stale", "stopped", "empty", "unknown"]
ProcessState = Literal["ready", "not ready", "away"]


class VerdictOut(BaseModel):
    """The state of the whole, and the first stage that is broken on the way producer, log, serve, indexer, store."""

    state: State = Field(
        description="by the longest that a received edit waits to become searchable: fresh up to a sixth of the "
        "threshold, late up to the threshold, stale beyond it. stopped: nothing comes from the source, or a process "
        "on the way is away. empty: no documents yet. unknown: Kafka or Postgres cannot be asked"
    )
    since: datetime | None = Field(
        description="when it began: the time of the newest searchable edit (fresh), of the oldest edit that waits "
        "(late, stale), of the newest raw record (a silent source), or when this process saw it first"
    )
    because: str | None = Field(description="one sentence; null when fresh", examples=["the indexer does not answer"])
    action: str | None = Field(description="what is being done, or what to do; null when fresh")


class ProcessOut(BaseModel):
    """A process, as it answers this one: not ready when it says so or is too slow, away when nothing is there."""

    name: str
    state: ProcessState
    detail: str | None = Field(default=None, description="why it is not ready; null when it is")
    since: datetime = Field(description="when this process first saw that state")


class PointOut(BaseModel):
    """One look at the pipeline. Rates are since the look before; what could not be asked is null."""

    at: datetime
    received_per_second: float | None = Field(default=None, description="raw records, those of a backfill among them")
    silver_per_second: float | None = None
    gold_per_second: float | None = None
    rejected_per_minute: float | None = None
    lag_serve: int | None = Field(default=None, description="raw records that the serve query has still to do")
    lag_indexer: int | None = Field(default=None, description="gold records that the indexer has still to do")
    lag_lake: int | None = Field(default=None, description="records behind, as the lake query notes with each batch")
    searchable_per_second: float | None = None
    p50_ms: float | None = Field(default=None, description="received to searchable, of what became searchable")
    p95_ms: float | None = None
    api_errors_per_minute: float | None = Field(
        default=None, description="answers of 500 and above to requests under /v1 in the last minute"
    )
    model_failures_per_minute: float | None = Field(
        default=None, description="answers that a model failed to write in the last minute"
    )


class HistoryOut(BaseModel):
    """The last hour, which this process keeps itself: it begins anew with each start."""

    recorded_since: datetime | None = Field(description="the first look; null before it")
    step_seconds: float
    points: list[PointOut] = Field(description="oldest first")


class CheckOut(BaseModel):
    """One freshness check."""

    name: str
    state: Literal["ok", "breach", "quiet", "unknown"]
    value: float | None
    unit: str
    threshold: float | None
    detail: str


class ChecksOut(BaseModel):
    """The last run of the freshness checks."""

    status: str = Field(description="ok, or why nothing is known of them", examples=["ok", "Postgres does not answer"])
    checked_at: datetime | None = Field(description="null where there never was one")
    checks: list[CheckOut]


class BreachOut(BaseModel):
    """A breach that lasts, with the values of the check that found it."""

    name: str
    begun_at: datetime
    value: float | None
    unit: str
    threshold: float | None
    detail: str


class RunOut(BaseModel):
    """A run of a DAG."""

    dag_id: str
    run_id: str
    state: str = Field(description="queued, running, success or failed")
    run_type: str
    started_at: datetime | None
    ended_at: datetime | None
    url: str = Field(description="Airflow's own page of the run")


class UpkeepOut(BaseModel):
    """What Airflow does."""

    status: str = Field(description="ok, or why there are no runs", examples=["ok", "Airflow does not answer"])
    runs: list[RunOut] = Field(description="the latest, newest first")
    url: str | None = Field(description="Airflow's own pages; null where there is no Airflow")


class PagesOut(BaseModel):
    """What is known of pages. Whoever describes them may be away: that costs those descriptions and nothing else."""

    status: str = Field(
        description="ok, for how long nobody answers, or why nothing is known of them",
        examples=["ok", "nobody has answered for 7 minutes", "Postgres does not answer"],
    )
    pages: int = Field(description="whose edits were seen")
    described: int = Field(description="by which their edits are found")
    missing: int = Field(description="asked about, and nobody has a description")
    waiting: int = Field(description="to be asked about")
    waiting_since: datetime | None = Field(description="when the edit came that waits the longest; null for none")
    answered_at: datetime | None = Field(description="when anything was answered last; null for never")
    failing: int = Field(description="of those waiting, asked about in vain")
    error: str | None = Field(description="of most of the failing ones; null for none")
    pending: int = Field(description="described, and their vector is still to be made")


_AT = "2026-11-23T10:15:30.123Z"
_EXAMPLE: dict[str, Any] = {
    "now": "2026-11-23T10:15:30.2Z",
    "verdict": {
        "state": "stale",
        "since": "2026-11-23T10:14:12.4Z",
        "because": "1,204 gold records wait for the indexer, the oldest 78 s",
        "action": "see `freshet status` and `freshet logs indexer`",
    },
    "newest_searchable_at": "2026-11-23T10:14:12.3Z",
    "age_seconds": 77.9,
    "threshold_seconds": 60.0,
    "sources": ["live"],
    "window": {"p50": 20.8, "p95": 65.9, "p99": 334.0, "max": 412.5, "count": 2391},
    "processes": [
        {"name": "producer", "state": "ready", "detail": None, "since": "2026-11-23T08:00:02Z"},
        {"name": "indexer", "state": "not ready", "detail": "it answers 503", "since": "2026-11-23T10:14:14Z"},
    ],
    "history": {
        "recorded_since": "2026-11-23T09:15:30Z",
        "step_seconds": 10,
        "points": [
            {
                "at": "2026-11-23T10:15:20Z",
                "received_per_second": 38.2,
                "silver_per_second": 38.1,
                "gold_per_second": 15.2,
                "rejected_per_minute": 0.0,
                "lag_serve": 0,
                "lag_indexer": 1052,
                "lag_lake": 412,
                "searchable_per_second": 0.0,
                "p50_ms": None,
                "p95_ms": None,
                "api_errors_per_minute": 0,
                "model_failures_per_minute": 0,
            }
        ],
    },
    "checks": {
        "status": "ok",
        "checked_at": "2026-11-23T10:14:00Z",
        "checks": [
            {
                "name": "indexer_lag",
                "state": "ok",
                "value": 0.2,
                "unit": "s",
                "threshold": 60,
                "detail": "3 gold records wait for the indexer",
            }
        ],
    },
    "breaches": [
        {
            "name": "compaction_age",
            "begun_at": "2026-11-23T09:02:00Z",
            "value": 6.1,
            "unit": "hours",
            "threshold": 6,
            "detail": "700 small files of gold could be put together",
        }
    ],
    "pages": {
        "status": "ok",
        "pages": 5120,
        "described": 3904,
        "missing": 1180,
        "waiting": 36,
        "waiting_since": "2026-11-23T10:14:52.6Z",
        "answered_at": "2026-11-23T10:15:29.8Z",
        "failing": 1,
        "error": "HTTP 503",
        "pending": 0,
    },
    "upkeep": {
        "status": "ok",
        "runs": [
            {
                "dag_id": "check_freshness",
                "run_id": "scheduled__2026-11-23T10:14:00+00:00",
                "state": "success",
                "run_type": "scheduled",
                "started_at": "2026-11-23T10:14:00.4Z",
                "ended_at": _AT,
                "url": "http://127.0.0.1:18088/dags/check_freshness/runs/scheduled__2026-11-23T10%3A14%3A00%2B00%3A00",
            }
        ],
        "url": "http://127.0.0.1:18088",
    },
}


class PipelineOut(BaseModel):
    """The pipeline at one moment, and its last hour. What is away says so in its part."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    now: datetime
    verdict: VerdictOut
    newest_searchable_at: datetime | None = Field(description="when the newest document became searchable")
    age_seconds: float | None = Field(
        description="since then; on a quiet stream it grows, and the verdict is fresh all the same"
    )
    threshold_seconds: float = Field(description="the longest that an edit should wait to become searchable")
    sources: list[str]
    window: Delays = Field(description="received to searchable of the last five minutes, ms")
    processes: list[ProcessOut] = Field(description="in the order in which data moves, the engines last")
    history: HistoryOut
    checks: ChecksOut
    breaches: list[BreachOut] = Field(description="those that last, the oldest first")
    pages: PagesOut
    upkeep: UpkeepOut
