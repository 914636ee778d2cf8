"""Strangers' words made safe to quote, and plain phrases for numbers and times. Pure."""

import re
from datetime import datetime, timedelta
from typing import Final

from freshet.store.search import Found

QUOTE_LETTERS: Final = 160

# Look-alikes instead of escapes: the answer is read as plain text as often as it is rendered as Markdown, and a
# backslash or an entity would be right in only one of them. The citation's quote has the text as it was stored.
_HARMLESS: Final = str.maketrans({"[": "(", "]": ")", "<": "‹", ">": "›", "`": "'", '"': "'", "\\": "/", "&": "＆"})
# Control characters, line breaks, and what reverses or hides text on a screen.
_INVISIBLE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
# Renderers make links of bare addresses: without these beginnings they stay text.
_LINK: Final = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{1,15}://|www\.|mailto:|javascript:)+")
# Marks that bend letters or draw rules when there are two or more of them.
_EMPHASIS: Final = re.compile(r"([*_~#|$=])\1+")

_USERS: Final = {
    "registered": "a registered user",
    "temporary": "a temporary account",
    "ip": "an unregistered user",
}
_REVERTS: Final = {"undo": "undoing an edit", "rollback": "rolling edits back", "restore": "restoring a revision"}
_SOURCES: Final = {
    "live": "live from Wikimedia",
    "recording": "recorded real edits, replayed and not live",
    "simulated": "simulated edits, not real ones",
    "backfill": "real edits from the history",
}
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def quoted(text: str, letters: int = QUOTE_LETTERS) -> str:
    """One line that neither Markdown, HTML nor a terminal can take for anything but words; cut to `letters`."""
    line = _INVISIBLE.sub(" ", text.translate(_HARMLESS)).strip()
    line = _EMPHASIS.sub(r"\1", _LINK.sub("", line))
    return line if len(line) <= letters else line[: letters - 1].rstrip() + "…"


def edit(found: Found, newest: datetime, mark: str) -> str:
    """What one edit did, by whom, how large, and how long before the newest edit; `mark` cites it."""
    section = f"section {quoted(found.section, 80)} - " if found.section else ""
    comment = f'"{quoted(found.comment)}"' if quoted(found.comment) else "no summary"
    who = _USERS.get(found.user_kind, "a user")
    parts = [f"{section}{comment} by {who}", *_details(found), ago(newest - found.event_time)]
    return ", ".join(parts) + f" {mark}"


def ago(before: timedelta) -> str:
    """How long before the newest edit."""
    return f"{duration(before)} before the newest edit" if before >= timedelta(seconds=1) else "the newest edit"


def duration(span: timedelta) -> str:
    """A span in its largest whole unit: `3 minutes`."""
    seconds = max(0, int(span.total_seconds()))
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "second"))
    count = seconds // size
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def moment(when: datetime) -> str:
    """A time to the minute, UTC."""
    return when.strftime("%Y-%m-%d %H:%M UTC")


def provenance(sources: list[str]) -> str:
    """Where the searched edits came from, in words."""
    return "; ".join(_SOURCES.get(source, quoted(source)) for source in sources)


def _details(found: Found) -> list[str]:
    delta = found.bytes_delta
    size = [] if delta is None else [f"{delta:+,} byte{'' if abs(delta) == 1 else 's'}"]
    return size + ([_REVERTS[found.revert_kind]] if found.revert_kind in _REVERTS else [])
