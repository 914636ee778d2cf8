"""A document followed back."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.models.documents import BRIDGE, DOCUMENT, GoldOut
from api.models.pages import TracedPage


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


class Changed(BaseModel):
    """A field that says something else than before."""

    field: str = Field(description="name in the layer after")
    before: Any
    after: Any


class Step(BaseModel):
    """What became of the fields between two layers; null lists when one of them is not there, as its status says.

    A field is changed when it says something else, not when it says the same in another way. Fields of the raw record
    are dotted paths into its JSON.
    """

    model_config = ConfigDict(populate_by_name=True)

    source: Literal["raw", "silver"] = Field(validation_alias="from", serialization_alias="from")
    target: Literal["silver", "gold"] = Field(validation_alias="to", serialization_alias="to")
    added: list[str] | None = Field(default=None, description="fields that nothing before says by itself")
    changed: list[Changed] | None = None
    dropped: list[str] | None = Field(default=None, description="fields before of which nothing is used")


_STEPS = [
    {
        "from": "raw",
        "to": "silver",
        "added": ["language", "user_kind", "section", "bytes_delta", "diff_url", "source", "transform_version"],
        "changed": [
            {
                "field": "comment",
                "before": "/* History */ Undid revision [[Special:Diff/1318000300|1318000300]] by Ada Lindqvist (talk)",
                "after": DOCUMENT["comment"],
            },
        ],
        "dropped": ["$schema", "meta.request_id", "id", "parsedcomment", "timestamp"],
    },
    {
        "from": "silver",
        "to": "gold",
        "added": ["doc_id", "text", "content_hash", "quality_flags"],
        "changed": [],
        "dropped": ["domain", "bytes_old", "bytes_new"],
    },
]
_EXAMPLE = {
    "doc_id": DOCUMENT["doc_id"],
    "gold": DOCUMENT,
    "page": {
        "status": "known",
        "known": BRIDGE,
        "fetched_at": "2026-11-23T09:02:11Z",
        "stale": False,
        "waiting_since": None,
        "attempts": 0,
        "error": None,
        "moved_to": None,
    },
    "silver": {
        "status": "found",
        "row": {"event_id": DOCUMENT["event_id"], "domain": "en.wikipedia.org", "comment": DOCUMENT["comment"]},
    },
    "bronze": {"status": "found", "row": {"partition": 2, "offset": 301022, "value_encoding": "utf-8"}},
    "raw": {
        "topic": DOCUMENT["raw_topic"],
        "partition": DOCUMENT["raw_partition"],
        "offset": DOCUMENT["raw_offset"],
        "timestamp": DOCUMENT["raw_timestamp"],
        "headers": {"source": "live", "received-at": "1795428930061"},
        "payload": '{"meta":{"id":"7f7a1f3c-21c5-4c8a-9a80-6f1f6b8c0c11","dt":"2026-11-23T10:15:29Z"}}',
        "encoding": "utf-8",
        "found_in": "kafka",
        "status": "found",
    },
    "steps": _STEPS,
    "versions": {"freshet": "0.1.0", "transform": "1", "embedding_model": "minilm-l6-v2-int8"},
    "replay": "freshet replay --offsets 2:301022",
}


_REMOVED_EXAMPLE = {
    "doc_id": DOCUMENT["doc_id"],
    "status": "removed",
    "removed_at": "2026-11-23T11:02:10.118Z",
    "kind": "page",
    "origin": "stream",
    "reason": "its page was deleted",
    "lake_at": "2026-11-23T11:47:31.402Z",
    "lifted": True,
    "replay": "freshet replay --offsets 2:301022 --resend --apply",
}


class RemovedOut(BaseModel):
    """A document that was removed: when and why, and nothing of what it said."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REMOVED_EXAMPLE]})

    doc_id: str
    status: Literal["removed"] = "removed"
    removed_at: datetime
    kind: Literal["page", "revision", "user", "event"] = Field(description="what was removed, and this with it")
    origin: Literal["stream", "hand"] = Field(description="a log event of the wiki, or `freshet forget`")
    reason: str
    lake_at: datetime | None = Field(description="when it was taken out of the lake; null: it is still to be")
    lifted: bool = Field(description="whether it may be shown again")
    replay: str | None = Field(description="the command that brings it back, where it may be shown again")


class TraceOut(BaseModel):
    """One document, followed back through the layers."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    doc_id: str
    gold: GoldOut
    page: TracedPage
    silver: Layer
    bronze: Layer
    raw: Raw
    steps: list[Step]
    versions: dict[str, str | None]
    replay: str = Field(description="the command that says what today's transforms would make of this very record")
