"""Asking: a question in, a cited answer out."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.models.fields import Asked, Limit, Text
from api.models.search import FiltersIn, Newest


class AskIn(Asked):
    """A question."""

    question: Text = Field(examples=["What is changing about climate change?"])
    limit: Limit = 5
    filters: FiltersIn = FiltersIn()
    time_words: bool = Field(
        default=True,
        description='"in the last hour" in the question narrows the search, unless `filters` has a time of its own',
    )


class Citation(BaseModel):
    """The edit behind a mark `[n]` of the answer. `quote` is its text as stored."""

    n: int
    doc_id: str
    title: str
    wiki: str
    comment: str
    event_time: datetime
    age_seconds: float
    user_kind: str
    page_url: str | None
    diff_url: str | None
    source: str
    quote: str


class WindowOut(BaseModel):
    """Event times that words in the question narrowed the search to."""

    words: str = Field(examples=["in the last hour"])
    since: datetime
    until: datetime | None


class AskOut(BaseModel):
    """An answer made of edits, or a refusal that says what was searched."""

    question: str
    answer: str
    outcome: Literal["grounded", "refused"]
    answerer: Literal["extractive"]
    citations: list[Citation]
    window: WindowOut | None = Field(description="set by the question; null when it names no time, or a filter does")
    freshness: Newest
    sources: list[str] = Field(description="where the searched edits came from: live, recording, simulated, backfill")
    took_ms: float
    degraded: dict[str, str] = {}
