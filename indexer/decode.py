"""A record of `wiki.gold` as what it does to the store: a document, one that is no more, or a removal."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from freshet.contract import schemas
from freshet.contract.rejections import Reason
from freshet.contract.removals import Kind
from freshet.contract.texts import storable
from freshet.errors import DataError
from freshet.store.removals import Removal
from freshet.store.repository import Deletion, Document

Given = TypeVar("Given")
Change = Document | Deletion | Removal

# Columns that the store does not let be null. `comment` and `quality_flags` are filled in when absent.
REQUIRED: Final = frozenset({
    "doc_id", "event_id", "event_time", "wiki", "type", "namespace", "title", "text", "content_hash", "user_kind",
    "source", "received_at", "raw_topic", "raw_partition", "raw_offset", "raw_timestamp", "transform_version",
})  # fmt: skip
_REMOVES: Final = frozenset({"removal", "hides", "event_id", "event_time", "wiki"})
_KEY: Final = schemas.DELETION[0]
ABSENT: Final[dict[str, Any]] = {"comment": "", "quality_flags": []}


def decode(value: bytes | None, timestamp_ms: int) -> Change:
    """What a record's value and the broker's timestamp, ms, say. Raises DataError when it is none of these."""
    try:
        row = json.loads(value or b"")
    except ValueError as error:
        raise DataError(Reason.NOT_JSON, str(error)) from error
    if not isinstance(row, dict):
        raise DataError(Reason.NOT_AN_OBJECT, f"it is a {type(row).__name__}")
    if row.get("deleted") is True:
        return Deletion(_read(_KEY, row.get(_KEY.name)))
    if "removal" in row:
        return _removal(row)
    gold_at = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    return {field.name: _read(field, row.get(field.name)) for field in schemas.GOLD} | {"gold_at": gold_at}


def _removal(row: Mapping[str, Any]) -> Removal:
    said = {field.name: _read(field, row.get(field.name), _REMOVES) for field in schemas.REMOVAL}
    if said["removal"] not in (Kind.PAGE, Kind.REVISION):
        raise DataError(Reason.BAD_DOCUMENT, "a removal of nothing that is known")
    kind = Kind(said["removal"])
    names = said["revision_ids"] if kind is Kind.REVISION else [said["title"]]
    if not names or None in names:
        raise DataError(Reason.BAD_DOCUMENT, f"a removal that names no {kind}")
    return Removal(
        kind,
        said["wiki"],
        [str(name) for name in names],
        said["event_time"],
        lifts=not said["hides"],
        event_id=said["event_id"],
    )


def _read(field: schemas.Field, value: Any, required: Collection[str] = REQUIRED) -> Any:
    if value is None:
        if field.name in required:
            raise DataError(Reason.BAD_DOCUMENT, f"{field.name} is missing")
        return ABSENT.get(field.name)
    try:
        return _READERS[field.type](value)
    except (TypeError, ValueError) as error:
        raise DataError(Reason.BAD_DOCUMENT, f"{field.name}: {error}") from error


def _text(value: Any) -> str:
    return storable(_of(str, value))


def _time(value: Any) -> datetime:
    time = datetime.fromisoformat(_of(str, value))
    if time.tzinfo is None:
        raise ValueError("no time zone")
    return time


def _of(kind: type[Given], value: Any) -> Given:
    # A boolean is an int to isinstance, and no number here.
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
    return value


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "STRING": _text,
    "INT": lambda value: _of(int, value),
    "BIGINT": lambda value: _of(int, value),
    "BOOLEAN": lambda value: _of(bool, value),
    "TIMESTAMP": _time,
    "ARRAY<STRING>": lambda value: [_text(item) for item in _of(list, value)],
    "ARRAY<BIGINT>": lambda value: [_of(int, item) for item in _of(list, value)],
}
