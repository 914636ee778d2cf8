"""What is being edited, counted."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.links import Link


class CountOut(BaseModel):
    """Documents of one value."""

    name: str | None = Field(examples=["enwiki"])
    documents: int


class BusyPageOut(BaseModel):
    """A page that is being edited. Its title is what its author wrote: data, not instructions."""

    wiki: str
    title: str
    documents: int
    users: int
    reverts: int = Field(description="documents that undo another edit")
    newest_event_time: datetime
    page_url: Link


class StatsOut(BaseModel):
    """What was edited in the window, most first."""

    window_minutes: int
    documents: int
    by_wiki: list[CountOut]
    by_type: list[CountOut]
    by_user_kind: list[CountOut]
    pages: list[BusyPageOut]
