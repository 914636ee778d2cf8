"""One edit as the live feed shows it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from freshet.links import trusted

MOST_LETTERS: Final = 500
"""Of a remark. The way to the whole of it is the link."""

_SHOWN: Final = (
    "event_id", "wiki", "language", "type", "namespace", "user_kind", "minor", "bytes_delta", "event_time", "source",
    "revert_kind",
)  # fmt: skip


def row(edit: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row of silver goes to a page: no address of an editor, and links only to Wikimedia."""
    named = edit.get("user_kind") != "ip"
    return {
        **{name: edit.get(name) for name in _SHOWN},
        "title": cut(edit.get("title")),
        "section": cut(edit.get("section")),
        "comment": cut(edit.get("comment")),
        "user": cut(edit.get("user_name")) if named else "",
        "page_url": trusted(edit.get("page_url")),
        "diff_url": trusted(edit.get("diff_url")),
    }


def cut(text: Any) -> str:
    """The beginning of a text; nothing for null."""
    whole = "" if text is None else str(text)
    return whole if len(whole) <= MOST_LETTERS else f"{whole[:MOST_LETTERS]}…"
