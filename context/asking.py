"""The loop of what is asked: pages that are due, one request after the other, by one process of all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from time import monotonic
from typing import Final, Protocol

from context.failures import NOT_THE_PAGES, NotAnsweredError, Outcome
from context.pace import Pace
from context.request import is_askable
from context.store import Store
from context.wikidata import Reply
from freshet.contract.pages import Page
from freshet.errors import DataError, TransientError
from freshet.offsets import age
from freshet.settings import Settings
from freshet.store.context import NEW, Answered, Due
from freshet.telemetry import logs, metrics

IDLE_S: Final = 0.5
"""How soon a page is noticed that is due."""

TURN_S: Final = 2.0
AWAY_S: Final = 1.0
LOOK_S: Final = 5.0
NOT_IN_IT: Final = "not in the answer"
NO_SUCH_TITLE: Final = "no page can be called so"


class Source(Protocol):
    """Who is asked."""

    def fitting(self, pages: Sequence[Page]) -> int:
        """How many of these pages, from the first on, one request takes."""
        ...

    def ask(self, pages: Sequence[Page]) -> Reply:
        """What is said of these pages. Raises NotAnsweredError."""
        ...


@dataclass(frozen=True)
class Keeping:
    """How long an answer counts, and how long that there is none."""

    stale_after: timedelta
    missing_stale_after: timedelta


def keeping(settings: Settings) -> Keeping:
    """By the settings."""
    return Keeping(timedelta(days=settings.context_days), timedelta(hours=settings.context_missing_hours))


class Asker:
    """Asks about pages as long as it is this process' turn. For one thread. `joined` tells whether edits are heard."""

    def __init__(self, store: Store, source: Source, pace: Pace, kept: Keeping, joined: Callable[[], bool]) -> None:
        self._store = store
        self._source = source
        self._pace = pace
        self._kept = kept
        self._joined = joined
        self._mine = False
        self._pairs = True
        self._look_at = monotonic()

    def run(self, stop: Event) -> None:
        """Ask until `stop` is set; the request at hand is finished first."""
        while not stop.is_set():
            try:
                wait_s = self._step(stop)
                metrics.READY.set(1 if self._joined() else 0)
            except TransientError as error:
                metrics.READY.set(0)
                logs.get().warning("nothing is asked", error=str(error))
                wait_s = AWAY_S
            stop.wait(wait_s)
        self._store.close()

    def _step(self, stop: Event) -> float:
        """One request, if it is time for it. Returns how long there is nothing to do, s."""
        mine = self._store.take_turn()
        if mine and not self._mine:
            # whoever had the turn before may have asked just now
            self._pace.hold()
        self._mine = mine
        if not mine:
            return TURN_S
        self._look()
        if wait_s := self._pace.wait_s:
            return min(wait_s, LOOK_S)
        due = self._claim()
        if stop.is_set():
            self._store.release([one.page for one in due])
        elif due:
            self._ask({one.page: one for one in due})
        return 0 if due else IDLE_S

    def _claim(self) -> Sequence[Due]:
        if self._pairs:
            return self._store.claim(self._pace.most_pages)
        first = self._store.claim(1)
        rest = self._pace.most_pages - 1
        return [*first, *self._store.claim(rest, first[0].wiki)] if first and rest else first

    def _ask(self, due: dict[Page, Due]) -> None:
        pages = [page for page in due if is_askable(page)]
        if never := [page for page in due if not is_askable(page)]:
            self._keep(due, Reply(dict.fromkeys(never), NO_SUCH_TITLE))
        if not pages:
            return
        count = self._source.fitting(pages)
        if pages[count:]:
            self._store.release(pages[count:])
        self._request({page: due[page] for page in pages[:count]})

    def _request(self, due: dict[Page, Due]) -> None:
        self._pace.hold()
        try:
            reply = self._source.ask(list(due))
        except NotAnsweredError as error:
            metrics.ASKED.labels(error.outcome).inc()
            self._not_answered(due, error)
            return
        metrics.ASKED.labels(Outcome.ANSWERED).inc()
        self._pace.answered()
        metrics.PAUSED.clear()
        self._keep(due, reply)
        if left := [page for page in due if page not in reply.answers]:
            self._failed(left, NOT_IN_IT)

    def _not_answered(self, due: dict[Page, Due], error: NotAnsweredError) -> None:
        if error.outcome is Outcome.ILLEGAL and self._pairs and len({page.wiki for page in due}) > 1:
            self._pairs = False
            logs.get().warning("from now on one wiki a request, as the server takes no pairs", error=str(error))
            self._store.release(list(due))
            return
        self._pace.failed(error.wait_s)
        metrics.PAUSED.clear()
        if self._pace.is_open:
            metrics.PAUSED.labels(error.outcome).set(1)
        wait_s = round(self._pace.wait_s, 1)
        logs.get().warning("not answered", pages=len(due), wait_s=wait_s, paused=self._pace.is_open, error=str(error))
        if error.outcome in NOT_THE_PAGES:
            self._store.release(list(due))
        else:
            self._failed(due, str(error))

    def _keep(self, due: dict[Page, Due], reply: Reply) -> None:
        kept = Answered(reply.answers, reply.origin, self._kept.stale_after, self._kept.missing_stale_after)
        try:
            self._store.describe(kept)
        except DataError as error:
            self._failed(reply.answers, str(error))
            return
        described = [page for page, said in reply.answers.items() if said]
        metrics.DESCRIBED.labels("described").inc(len(described))
        metrics.DESCRIBED.labels("missing").inc(len(reply.answers) - len(described))
        now = datetime.now(UTC)
        for page in described:
            if due[page].priority == NEW:
                metrics.UNTIL_DESCRIBED.observe(age(due[page].asked_since, now))

    def _failed(self, pages: Iterable[Page], reason: str) -> None:
        those = list(pages)
        self._store.note_failure(those, reason)
        metrics.DESCRIBED.labels("failed").inc(len(those))
        logs.get().debug("pages are tried again later", pages=those, error=reason)

    def _look(self) -> None:
        """Say how much there is to do, now and then."""
        if monotonic() < self._look_at:
            return
        waiting = self._store.waiting()
        metrics.PAGES_WAITING.set(waiting.pages)
        metrics.PAGES_WAITING_SECONDS.set(age(waiting.oldest, datetime.now(UTC)) if waiting.oldest else 0)
        self._look_at = monotonic() + LOOK_S
