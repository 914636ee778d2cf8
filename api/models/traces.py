"""A document followed back."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class Layer(BaseModel):
    """A row of the lake, or why there is none. `value` of bronze is text, or base64 as `value_encoding` says."""

    status: str = Field(examples=["found", "not yet in the lake, which commits every 30 s"])
    row: dict[str, Any] | None = None


class Raw(BaseModel):
    """The record as it came in. `payload` is null when neither the log nor bronze has it."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    headers: dict[str, str]
    payload: str | None
    encoding: Literal["utf-8", "base64"] | None
    found_in: Literal["kafka", "bronze"] | None
    status: str


class TraceOut(BaseModel):
    """One document, followed back through the layers."""

    doc_id: str
    gold: dict[str, Any]
    silver: Layer
    bronze: Layer
    raw: Raw
    versions: dict[str, str | None]
