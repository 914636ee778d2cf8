"""Strangers' words made safe to quote, and plain phrases for numbers and times. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from api.answers.plain import plain
from freshet.context_source import LICENCES
from freshet.store.search import Found

QUOTE_LETTERS: Final = 160
LABEL_LETTERS: Final = 80

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
    line = plain(text)
    return line if len(line) <= letters else line[: letters - 1].rstrip() + "…"


def edit(found: Found, newest: datetime, mark: str) -> str:
    """What one edit did, by whom, how large, and how long before the newest edit; `mark` cites it."""
    section = f"section {quoted(found.section, 80)} - " if found.section else ""
    comment = f'"{quoted(found.comment)}"' if quoted(found.comment) else "no summary"
    who = _USERS.get(found.user_kind, "a user")
    parts = [f"{section}{comment} by {who}", *_details(found), ago(newest - found.event_time)]
    return ", ".join(parts) + f" {mark}"


def about(found: Found) -> str:
    """What the page of an edit is, by a knowledge base: `Mount Fuji, volcano in Japan`. The label only where it is not
    the title."""
    label = quoted(found.page_label or "", LABEL_LETTERS)
    same = label.casefold() == quoted(found.title, LABEL_LETTERS).casefold()
    return ", ".join(part for part in ("" if same else label, quoted(found.page_description or "")) if part)


def origins(pages: Sequence[Found]) -> list[str]:
    """A line that says who says what these pages are; none where nobody does."""
    origins = dict.fromkeys(_origin(page.page_origin) for page in pages if page.page_origin and about(page))
    return [f"\nDescriptions of pages: {'; '.join(origins)}.\n"] if origins else []


def _origin(origin: str) -> str:
    licence = LICENCES.get(origin)
    return f"{quoted(origin)}, {licence}" if licence else quoted(origin)


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
    undoes = [_REVERTS[found.revert_kind]] if found.revert_kind in _REVERTS else []
    again = len(found.others)
    repeated = [f"the same words in {again} more edit{'' if again == 1 else 's'}"] if again else []
    return [*size, *undoes, *(["since undone"] if found.reverted else []), *repeated]
