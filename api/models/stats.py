"""What is being edited, counted."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from freshet.links import Link


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


_EXAMPLE: dict[str, Any] = {
    "window_minutes": 60,
    "documents": 4312,
    "by_wiki": [{"name": "enwiki", "documents": 2107}],
    "by_type": [{"name": "edit", "documents": 4120}, {"name": "new", "documents": 192}],
    "by_user_kind": [{"name": "registered", "documents": 3305}],
    "pages": [
        {
            "wiki": "enwiki",
            "title": "2026 Atlantic hurricane season",
            "documents": 41,
            "users": 9,
            "reverts": 3,
            "newest_event_time": "2026-11-23T10:15:29Z",
            "page_url": "https://en.wikipedia.org/wiki/2026_Atlantic_hurricane_season",
        }
    ],
}


class StatsOut(BaseModel):
    """What was edited in the window, most first."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    window_minutes: int
    documents: int
    by_wiki: list[CountOut]
    by_type: list[CountOut]
    by_user_kind: list[CountOut]
    pages: list[BusyPageOut]
