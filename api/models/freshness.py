"""How fresh the store is."""

from datetime import datetime

from pydantic import BaseModel


class Delays(BaseModel):
    """Percentiles, ms; null when nothing was counted."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    count: int


class FreshnessOut(BaseModel):
    """How fresh the store is and how fast edits became searchable."""

    newest_event_time: datetime | None
    newest_received_at: datetime | None
    newest_searchable_at: datetime | None
    documents: int
    pending_embeddings: int
    source: list[str]
    window_minutes: int
    received_to_searchable_ms: Delays
