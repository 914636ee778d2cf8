"""How fresh the store is, and every layer before it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_STATUS = Field(description="ok, or why the rest is null", examples=["ok", "Kafka does not answer: Broker: timed out"])


class Delays(BaseModel):
    """Percentiles, ms; null when nothing was counted."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    count: int


class TopicOut(BaseModel):
    """A topic of the log. `newest_at` is the timestamp of its newest record; null when there is none."""

    status: str = _STATUS
    records: int | None = Field(default=None, description="records that the log keeps, by offsets")
    newest_at: datetime | None = None
    age_seconds: float | None = None


class TableOut(BaseModel):
    """A table of the lake, as of its newest commit."""

    status: str = _STATUS
    version: int | None = None
    committed_at: datetime | None = None
    age_seconds: float | None = None


class SearchableOut(BaseModel):
    """What a search can find."""

    documents: int
    newest_at: datetime | None = Field(description="when the newest document became searchable")
    age_seconds: float | None


class LogOut(BaseModel):
    """The topics, in the order in which data moves."""

    raw: TopicOut
    silver: TopicOut
    gold: TopicOut
    rejected: TopicOut


class LakeOut(BaseModel):
    """The tables, in the order in which data moves."""

    bronze: TableOut
    silver: TableOut
    gold: TableOut
    rejected: TableOut


class LayersOut(BaseModel):
    """Every layer that an edit comes through."""

    log: LogOut
    lake: LakeOut
    searchable: SearchableOut


class LagOut(BaseModel):
    """How far the indexer is behind the gold topic: the records that its group has not committed."""

    group: str
    status: str = _STATUS
    records: int | None = None
    partitions: dict[str, int] | None = None
    seconds: float | None = Field(default=None, description="age of the oldest of them, 0 without any")


_DELAYS = {"p50": 20.8, "p95": 65.9, "p99": 334.0, "max": 412.5, "count": 2391}
_AT = "2026-11-23T10:15:30.123Z"
_TOPIC = {"status": "ok", "records": 1_204_113, "newest_at": _AT, "age_seconds": 0.061}
_TABLE = {"status": "ok", "version": 412, "committed_at": "2026-11-23T10:15:12Z", "age_seconds": 18.184}
_EXAMPLE: dict[str, Any] = {
    "newest_event_time": "2026-11-23T10:15:29Z",
    "newest_received_at": "2026-11-23T10:15:30.1Z",
    "newest_searchable_at": _AT,
    "documents": 88_410,
    "pending_embeddings": 0,
    "source": ["live"],
    "window_minutes": 5,
    "received_to_searchable_ms": _DELAYS,
    "layers": {
        "log": dict.fromkeys(("raw", "silver", "gold", "rejected"), _TOPIC),
        "lake": dict.fromkeys(("bronze", "silver", "gold", "rejected"), _TABLE),
        "searchable": {"documents": 88_410, "newest_at": _AT, "age_seconds": 0.061},
    },
    "lag": {"group": "freshet-indexer", "status": "ok", "records": 3, "partitions": {"0": 3, "1": 0}, "seconds": 0.021},
}


class FreshnessOut(BaseModel):
    """How fresh the store is, how fast edits became searchable, and where they are on their way."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    newest_event_time: datetime | None
    newest_received_at: datetime | None
    newest_searchable_at: datetime | None
    documents: int
    pending_embeddings: int
    source: list[str]
    window_minutes: int
    received_to_searchable_ms: Delays
    layers: LayersOut
    lag: LagOut
