"""Records of `wiki.gold` and `wiki.silver` as what they say about pages."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from freshet.contract import topics
from freshet.contract.pages import Page
from freshet.contract.rejections import Reason
from freshet.contract.removals import GONE
from freshet.contract.texts import storable
from freshet.errors import DataError

LONGEST_TITLE_BYTES: Final = 512
"""MediaWiki's own have 255 bytes and the name of a namespace."""


@dataclass(frozen=True)
class Edited:
    """A page was edited. `live` where the edit was received as it happened."""

    page: Page
    event_time: datetime
    received_at: datetime
    live: bool


@dataclass(frozen=True)
class Moved:
    """A page has another title, which is in the raw record at this place."""

    page: Page
    event_time: datetime
    partition: int
    offset: int


@dataclass(frozen=True)
class Deleted:
    """A page is no more."""

    page: Page


Change = Edited | Moved | Deleted


def of_gold(value: bytes | None) -> Edited | None:
    """The edit of a document; None where documents are taken away. Raises DataError."""
    row = _object(value)
    if row.get("deleted") is True or "removal" in row:
        return None
    live = row.get("source") != topics.BACKFILL
    return Edited(_page(row), _time(row, "event_time"), _time(row, "received_at"), live)


def of_silver(value: bytes | None) -> Moved | Deleted | None:
    """A page's move or deletion; None for any other event. Raises DataError."""
    # Most records are edits, and need not be read for that.
    if not value or (b'"move"' not in value and b'"delete"' not in value):
        return None
    row = _object(value)
    if row.get("log_type") == "move":
        return Moved(_page(row), _time(row, "event_time"), _number(row, "raw_partition"), _number(row, "raw_offset"))
    if row.get("log_type") == "delete" and row.get("log_action") in GONE:
        return Deleted(_page(row))
    return None


def target_of(payload: bytes) -> str:
    """The title that a page has after a move, by the raw event. Raises DataError."""
    parameters = _object(payload).get("log_params")
    target = parameters.get("target") if isinstance(parameters, dict) else None
    return _title(target.replace("_", " ") if isinstance(target, str) else target)


def _object(value: bytes | None) -> dict[str, Any]:
    try:
        row = json.loads(value or b"")
    except (ValueError, RecursionError) as error:
        raise DataError(Reason.NOT_JSON, str(error)) from error
    if not isinstance(row, dict):
        raise DataError(Reason.NOT_AN_OBJECT, f"it is a {type(row).__name__}")
    return row


def _page(row: dict[str, Any]) -> Page:
    return Page(_title(row.get("wiki")), _title(row.get("title")))


def _title(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise DataError(Reason.BAD_DOCUMENT, "no title")
    title = storable(value)
    if len(title.encode()) > LONGEST_TITLE_BYTES:
        raise DataError(Reason.BAD_DOCUMENT, f"a title of {len(title)} characters")
    return title


def _time(row: dict[str, Any], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(row[name])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(Reason.BAD_DOCUMENT, f"{name}: {error}") from error
    if time.tzinfo is None:
        raise DataError(Reason.BAD_DOCUMENT, f"{name}: no time zone")
    return time


def _number(row: dict[str, Any], name: str) -> int:
    value = row.get(name)
    if type(value) is not int or value < 0:
        raise DataError(Reason.BAD_DOCUMENT, f"{name} is no place")
    return value
