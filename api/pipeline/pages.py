"""What is known of pages, as the pipeline's view has it. Pure."""

from datetime import datetime
from typing import Final

from api.models.pipeline import PagesOut
from freshet.offsets import age
from freshet.store.page_standing import Standing

SILENT_S: Final = 300.0
"""Pages that wait so long without anybody having been answered are waiting for who does not answer."""


def known_pages(seen: Standing, now: datetime) -> PagesOut:
    """As it stands."""
    known = seen.known
    return PagesOut(
        status=_status(seen, now),
        pages=known.pages,
        described=known.described,
        missing=known.missing,
        waiting=known.waiting,
        waiting_since=known.oldest,
        answered_at=seen.answered_at,
        failing=known.failing,
        error=seen.error,
        pending=known.pending,
    )


def unknown_pages(because: str) -> PagesOut:
    """Where the store cannot be asked."""
    return PagesOut(
        status=because, pages=0, described=0, missing=0, waiting=0, waiting_since=None, answered_at=None, failing=0,
        error=None, pending=0,
    )  # fmt: skip


def _status(seen: Standing, now: datetime) -> str:
    """Pages that failed wait longer each time, whoever answers meanwhile: they alone are no sign."""
    known = seen.known
    if known.oldest is None or known.waiting == known.failing:
        return "ok"
    silent_s = age(max(known.oldest, seen.answered_at or known.oldest), now)
    return f"nobody has answered for {silent_s / 60:.0f} minutes" if silent_s > SILENT_S else "ok"
