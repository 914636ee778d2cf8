"""Waits until pages were asked about by whoever asks: there is one who asks, and he keeps to the etiquette."""

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Final

from psycopg import Connection
from tenacity import Retrying, retry_if_result, wait_fixed

from freshet.errors import TransientError
from freshet.store import unasked
from freshet.store.unasked import Outcome, Unasked
from freshet.telemetry import logs

POLL_S: Final = 2.0
LOG_EVERY_S: Final = 30.0

STILL_S: Final = 300.0
"""After so long without any answer to anybody, something is wrong."""

ATTEMPTS: Final = 4
"""A page that was asked about so often in vain, within half a minute or so, is not waited for any longer."""


def wait(connection: Connection, pages: Sequence[Unasked], clock: Callable[[], float] = monotonic) -> Outcome:
    """What became of these, once each was answered or asked about in vain.

    Raises TransientError when nothing moves any more, or none was answered: it says what the pages have for an error.
    """
    watch = _Watch(connection, pages, clock)
    outcome: Outcome = Retrying(retry=retry_if_result(lambda seen: seen.waiting > 0), wait=wait_fixed(POLL_S))(
        watch.look
    )
    if outcome.failing and not outcome.described + outcome.missing:
        raise TransientError(f"none of {outcome.failing:,} pages could be asked about: {outcome.error}")
    return outcome


class _Watch:
    """Looks how far they are, says so now and then, and notices when nothing moves."""

    def __init__(self, connection: Connection, pages: Sequence[Unasked], clock: Callable[[], float]) -> None:
        self._connection = connection
        self._pages = pages
        self._clock = clock
        self._seen: tuple[int, datetime | None] | None = None
        self._moved = self._said = clock()

    def look(self) -> Outcome:
        """How far they are now."""
        now, seen = self._clock(), unasked.outcome(self._connection, self._pages, ATTEMPTS)
        moves = (seen.waiting, seen.answered_at)
        if moves != self._seen:
            self._seen, self._moved = moves, now
        if now >= self._said + LOG_EVERY_S:
            self._said = now
            done = len(self._pages) - seen.waiting
            logs.get().info("pages asked about", done=done, of=len(self._pages), failing=seen.failing)
        if seen.waiting and now > self._moved + STILL_S:
            raise TransientError(self._stuck(seen, now - self._moved))
        return seen

    def _stuck(self, seen: Outcome, seconds: float) -> str:
        error = seen.error or unasked.commonest_error(self._connection)
        # who throttles, or cannot be reached, is left alone, and no page is to blame
        why = f"the error they have: {error}" if error else "does who is asked answer? See `freshet logs context`"
        return f"nobody was answered for {seconds / 60:.0f} minutes, and {seen.waiting:,} pages wait: {why}"
