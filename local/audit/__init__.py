"""The audit: from the real stores to a balance. It is exact also while edits flow: it looks at a cut of the log."""

import time
from collections.abc import Callable
from typing import Final

from freshet.settings import Settings
from local.audit.auditor import Auditor
from local.audit.balance import Report, balance

Say = Callable[[str], None]

POLL_S = 1.0
REST: Final = 3.0
"""Between two looks it rests so many times as long as a look took: what it waits for needs the machine more."""


def audit(settings: Settings, wait_s: float, say: Say) -> Report:
    """Balance the books of the stack that `settings` name.

    Waits for each stage to catch up with the cut as long as it makes progress; a stage that makes none for `wait_s`
    seconds is taken as it is.
    """
    auditor = Auditor(settings)
    try:
        _until(auditor.read_log, wait_s, say, "served frames not yet in the log")
        auditor.cut_here()
        _until(auditor.read_lake, wait_s, say, "records not yet in every layer of the lake")
        _until(auditor.read_topics, wait_s, say, "rows not yet in the topics")
        _until(auditor.read_index, wait_s, say, "documents not yet in the index")
        return balance(auditor.books)
    finally:
        auditor.close()


def _until(missing: Callable[[], int], wait_s: float, say: Say, what: str) -> None:
    """Read again until nothing is missing, or no progress was made for `wait_s`."""
    least, took = _timed(missing)
    since = time.monotonic()
    while least and time.monotonic() - since < wait_s:
        say(f"waiting for {least:,} {what}")
        time.sleep(max(POLL_S, REST * took))
        now, took = _timed(missing)
        if now < least:
            least, since = now, time.monotonic()


def _timed(missing: Callable[[], int]) -> tuple[int, float]:
    """What it says, and the seconds that it took."""
    began = time.monotonic()
    return missing(), time.monotonic() - began
