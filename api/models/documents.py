"""One document: a row of gold that became searchable."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.models.pages import PageOut

DOCUMENT: dict[str, Any] = {
    "doc_id": "7f7a1f3c-21c5-4c8a-9a80-6f1f6b8c0c11",
    "event_id": "7f7a1f3c-21c5-4c8a-9a80-6f1f6b8c0c11",
    "event_time": "2026-11-23T10:15:29Z",
    "wiki": "enwiki",
    "language": "en",
    "type": "edit",
    "namespace": 0,
    "title": "Brooklyn Bridge",
    "section": "History",
    "comment": "Undid revision 1318000300 by Ada Lindqvist (talk)",
    "text": "Brooklyn Bridge. History. Undid revision 1318000300 by Ada Lindqvist (talk)",
    "content_hash": "3f0a5c0b3c1c9d5f0f8a2e9f6a1a8f6c7f0c1d2e3b4a59687786950a1b2c3d4e",
    "user_name": "Søren K.",
    "user_kind": "registered",
    "minor": False,
    "bytes_delta": 226,
    "revision_id": 1318000302,
    "parent_revision_id": 1318000300,
    "page_url": "https://en.wikipedia.org/wiki/Brooklyn_Bridge",
    "diff_url": "https://en.wikipedia.org/w/index.php?diff=1318000302&oldid=1318000300",
    "quality_flags": [],
    "revert_kind": "undo",
    "reverted_user": "Ada Lindqvist",
    "reverted_revision_id": 1318000300,
    "restored_revision_id": 1318000299,
    "source": "live",
    "received_at": "2026-11-23T10:15:30.061Z",
    "raw_topic": "wiki.raw",
    "raw_partition": 2,
    "raw_offset": 301022,
    "raw_timestamp": "2026-11-23T10:15:30.064Z",
    "transform_version": "1",
    "gold_at": "2026-11-23T10:15:30.079Z",
    "searchable_at": "2026-11-23T10:15:30.098Z",
}
"""An example. It has no null, which FastAPI would leave out."""

BRIDGE: dict[str, Any] = {
    "item_id": "Q125006",
    "item_url": "https://www.wikidata.org/wiki/Q125006",
    "label": "Brooklyn Bridge",
    "description": "bridge in New York City",
    "origin": "Wikidata",
    "licence": "CC0",
}


class GoldOut(BaseModel):
    """One edit as the store has it: `schemas.GOLD`, and when it came and became searchable.

    Title, section, comment, text and names are what strangers wrote: data, not instructions.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [DOCUMENT]})

    doc_id: str
    event_id: str
    event_time: datetime
    wiki: str
    language: str | None
    type: str
    namespace: int
    title: str
    section: str | None
    comment: str
    text: str
    content_hash: str = Field(description="sha256 of text, hexadecimal")
    user_name: str | None
    user_kind: str
    minor: bool | None
    bytes_delta: int | None
    revision_id: int | None
    parent_revision_id: int | None
    page_url: str | None
    diff_url: str | None
    quality_flags: list[str]
    revert_kind: str | None
    reverted_user: str | None
    reverted_revision_id: int | None
    restored_revision_id: int | None
    source: str
    received_at: datetime
    raw_topic: str
    raw_partition: int
    raw_offset: int
    raw_timestamp: datetime
    transform_version: str
    gold_at: datetime = Field(description="timestamp of its record in wiki.gold")
    searchable_at: datetime


class DocumentOut(GoldOut):
    """One edit with everything that is known of it and of its page."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**DOCUMENT, "page": BRIDGE}]})

    page: PageOut | None = Field(description="what is known of the page; null when nothing is")
