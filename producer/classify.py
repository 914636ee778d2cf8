"""One frame -> the record it becomes: raw as received, rejected with a reason, or nothing for a canary."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from freshet.contract import topics
from freshet.contract.rejections import Reason, Stage
from freshet.errors import DataError
from freshet.log import MAX_RECORD_BYTES
from producer.frames import Frame

Headers = tuple[tuple[str, bytes], ...]

CANARY_DOMAIN = "canary"
# What the key, the headers and Kafka's own framing may take beside the value.
MARGIN_BYTES = 256 * 1024
MAX_VALUE_BYTES = MAX_RECORD_BYTES - MARGIN_BYTES


@dataclass(frozen=True, slots=True)
class Record:
    """One record for the log. `reason` is set when, and only when, the topic is that of rejected records."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    reason: Reason | None = None


def classify(frame: Frame, received_at_ms: int, source: str) -> Record | None:
    """The record of a frame of type `message`; None for a canary, which is to be counted and dropped."""
    origin: Headers = (
        (topics.SSE_ID, frame.id.encode("latin-1")),
        (topics.RECEIVED_AT, b"%d" % received_at_ms),
        (topics.SOURCE, source.encode()),
    )
    try:
        event = _event(frame.data)
    except DataError as error:
        return _rejected(frame.data[:MAX_VALUE_BYTES], origin, Reason(error.reason), str(error))
    if event["meta"].get("domain") == CANARY_DOMAIN:
        return None
    key = topics.page_key(_text(event.get("wiki")), _text(event.get("title")))
    # An escaped lone surrogate is good JSON and no good UTF-8.
    return Record(topics.RAW, key.encode("utf-8", "replace"), frame.data, origin)


def refused(record: Record, keep_bytes: int) -> Record:
    """The rejected record for one that the broker found too large, with the first `keep_bytes` of its value."""
    origin = tuple((name, value[:keep_bytes]) for name, value in record.headers)
    detail = f"the broker refused {len(record.value)} bytes as too large"
    return _rejected(record.value[:keep_bytes], origin, Reason.TOO_LARGE, detail)


def _event(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_VALUE_BYTES:
        raise DataError(Reason.TOO_LARGE, f"{len(data)} bytes, of which the first {MAX_VALUE_BYTES} are kept")
    try:
        event = json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(Reason.NOT_JSON, str(error)) from error
    if not isinstance(event, dict):
        raise DataError(Reason.NOT_AN_OBJECT, f"a JSON {type(event).__name__}, not an object")
    meta = event.get("meta")
    if not isinstance(meta, dict) or not _text(meta.get("id")):
        raise DataError(Reason.MISSING_EVENT_ID, "meta.id is not a text that is there")
    return event


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _rejected(value: bytes, origin: Headers, reason: Reason, detail: str) -> Record:
    why: Headers = (
        (topics.REASON, reason.encode()),
        (topics.STAGE, Stage.PRODUCER.encode()),
        (topics.ERROR, detail.encode("utf-8", "replace")),
    )
    return Record(topics.REJECTED, b"", value, (*why, *origin), reason)
