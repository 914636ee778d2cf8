"""Asking: a question in, a cited answer out."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.models.examples import ANSWER
from api.models.fields import Asked, Limit, LongText, Text
from api.models.pages import PageOut
from api.models.search import FiltersIn, Newest, Scores
from freshet.links import Link

REMEMBERED: Final = 6
"""How many of the last messages of a conversation count."""

Outcome = Literal["grounded", "refused"]
Answerer = Literal["model", "extractive"]


class Turn(Asked):
    """What was said before the question."""

    role: Literal["user", "assistant"]
    content: LongText


class AskIn(Asked):
    """A question."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "What is changing about climate change?", "limit": 5}]}
    )

    question: Text = Field(examples=["What is changing about climate change?"])
    conversation: list[Turn] = Field(
        default=[],
        max_length=20,
        description=f"what was said before, oldest first; the last {REMEMBERED} count",
        examples=[[]],
    )
    limit: Limit = 5
    filters: FiltersIn = FiltersIn()
    time_words: bool = Field(
        default=True,
        description='"in the last hour" in the question narrows the search, unless `filters` has a time of its own',
    )


class Citation(BaseModel):
    """The edit behind a mark `[n]`. Title, section, comment and quote are as stored: what its author wrote. So are the
    label and description of its page."""

    n: int
    doc_id: str = Field(description="for `GET /v1/documents/{doc_id}` and its trace")
    title: str
    wiki: str
    section: str | None
    comment: str
    event_time: datetime
    age_seconds: float
    user_kind: str
    bytes_delta: int | None
    revert_kind: str | None = Field(description="how this edit undoes another; null when it does not")
    reverted: bool = Field(description="a later edit of the page undid this one")
    page: PageOut | None = Field(description="what is known of the page; null when nothing is")
    page_url: Link
    diff_url: Link
    source: str
    quote: str
    score: float
    scores: Scores


class WindowOut(BaseModel):
    """Event times that words in the question narrowed the search to."""

    words: str = Field(examples=["in the last hour"])
    since: datetime
    until: datetime | None


class SearchedOut(BaseModel):
    """What the filters left to search."""

    documents: int
    oldest_event_time: datetime | None
    newest_event_time: datetime | None
    wikis: list[str] | None = Field(description="null: all of them")


class Usage(BaseModel):
    """What a model read and wrote. The cost is by the prices that are set."""

    input_tokens: int
    output_tokens: int
    cost_usd: float


class Timings(BaseModel):
    """Where the time went, ms from the question on."""

    retrieval_ms: float
    first_token_ms: float
    total_ms: float


class AskOut(BaseModel):
    """An answer whose every claim cites edits, or a refusal that says what was searched."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER]})

    answer_id: UUID = Field(description="what feedback is bound to")
    question: str
    answer: str = Field(description="plain text with marks `[n]`, safe as Markdown and in a terminal")
    outcome: Outcome
    answerer: Answerer
    model: str | None = Field(description="the model that wrote the answer; null when none did")
    usage: Usage | None = Field(description="null when no model wrote the answer, or it does not tell")
    citations: list[Citation] = Field(description="the edits that the answer cites, and no other")
    window: WindowOut | None = Field(description="set by the question; null when it names no time, or a filter does")
    searched: SearchedOut
    freshness: Newest
    sources: list[str] = Field(description="where the searched edits came from: live, recording, simulated, backfill")
    timings: Timings
    took_ms: float
    degraded: dict[str, str] = Field(default={}, description="parts that did not take part, with the reason")
