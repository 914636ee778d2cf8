"""Watching a stack that is being broken: which processes work, and how old the newest searchable edit is."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from types import TracebackType
from typing import Final

import httpx
import psycopg

from freshet.settings import Settings
from freshet.store import freshness
from local import stack
from local.client import client
from local.supervisor import Supervisor

EVERY_S: Final = 1.0
ASK_TIMEOUT_S: Final = 5.0
QUESTION: Final = {"query": "what is changing", "limit": 1}


@dataclass(frozen=True)
class Sample:
    """What was seen at a moment of `time.monotonic`: who works, and the age of the newest searchable edit, s."""

    at: float
    ready: frozenset[str]
    staleness_s: float


class Watch:
    """A context that looks every second; afterwards `samples`, and `answers` to a search by HTTP status."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._control = Supervisor(settings)
        self._processes = stack.declare(settings)
        self._stop = Event()
        self._threads = [Thread(target=self._each, args=(work,), daemon=True) for work in (self._sample, self._search)]
        self._newest = datetime.now(UTC)
        self.samples: list[Sample] = []
        self.answers: Counter[str] = Counter()

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def given_up(self) -> list[str]:
        """Processes that the supervisor does not start again."""
        return [name for name, state in self._control.states().items() if state.state == "FATAL"]

    def _each(self, work: Callable[[], None]) -> None:
        while not self._stop.wait(EVERY_S):
            work()

    def _sample(self) -> None:
        at = time.monotonic()
        with ThreadPoolExecutor(max_workers=len(self._processes)) as pool:
            works = list(pool.map(lambda process: process.ready(), self._processes))
        ready = frozenset(process.name for process, well in zip(self._processes, works, strict=True) if well)
        self.samples.append(Sample(at, ready, self._staleness_s()))

    def _staleness_s(self) -> float:
        """While the store does not answer, its newest edit is the one that was seen last."""
        try:
            with psycopg.connect(self._settings.conninfo, connect_timeout=2) as connection:
                self._newest = freshness.newest(connection) or self._newest
        except psycopg.Error:
            pass
        return max(0.0, (datetime.now(UTC) - self._newest).total_seconds())

    def _search(self) -> None:
        try:
            with client(self._settings, ASK_TIMEOUT_S) as api:
                self.answers[str(api.post("/v1/search", json=QUESTION).status_code)] += 1
        except httpx.HTTPError:
            self.answers["none"] += 1
