"""How fast history may be read again: evenly, and never while the index is behind, so that live edits stay fresh."""

import time
from collections.abc import Iterable, Iterator
from threading import Event

from confluent_kafka import KafkaException

from freshet.contract import topics
from freshet.offsets import Offsets, reason, unread
from freshet.settings import Settings
from freshet.telemetry import logs
from producer.pump import Item

BURST_S = 0.1
"""What a reader that woke up late may make up for, s."""

LOOK_EVERY_S = 0.5
LOOK_TIMEOUT_S = 5.0


class Pace:
    """At most `rate` a second, evenly; what was not used while waiting is lost."""

    def __init__(self, rate: float) -> None:
        self._every_s = 1 / rate
        self._next: float | None = None

    def wait_s(self, now: float) -> float:
        """How long the next one has to wait, s. It counts as gone."""
        slot = now if self._next is None else max(self._next, now - BURST_S)
        self._next = slot + self._every_s
        return max(0.0, slot - now)


class Gate:
    """Shut while the indexer is further behind than a setting allows. `waited_s` is how long it was shut."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._offsets = Offsets(settings)
        self._looked = self._shut_at = 0.0
        self._closed_s = 0.0
        self.open = Event()
        self.open.set()

    @property
    def waited_s(self) -> float:
        """How long it was shut until now, s."""
        return self._closed_s + (0.0 if self.open.is_set() else time.monotonic() - self._shut_at)

    def look(self) -> None:
        """Ask how far the indexer is behind, twice a second at most. Without an answer it stays as it is."""
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        try:
            behind = lag(self._offsets, self._settings)
        except (KafkaException, TimeoutError) as error:
            logs.get().warning("the lag is not known", error=reason(error, LOOK_TIMEOUT_S))
            return
        most = self._settings.backfill_lag_records
        if behind > most and self.open.is_set():
            self._shut_at = now
            self.open.clear()
            logs.get().info("waiting for the indexer", behind=behind, most=most)
        elif behind <= most and not self.open.is_set():
            self._closed_s += now - self._shut_at
            self.open.set()
            logs.get().info("going on", waited_s=round(self._closed_s, 1))


def lag(offsets: Offsets, settings: Settings) -> int:
    """Gold records that the indexer has still to do; none where there never was an indexer.

    Raises KafkaException or TimeoutError.
    """
    deadline = time.monotonic() + LOOK_TIMEOUT_S
    marks = offsets.marks([topics.GOLD], deadline)[topics.GOLD]
    committed = offsets.committed(settings.indexer_group, topics.GOLD, marks, deadline) if marks else {}
    if all(offset < 0 for offset in committed.values()):
        return 0
    return sum(map(len, unread(marks, committed).values()))


def paced(items: Iterable[Item], pace: Pace, gate: Gate, stopping: Event) -> Iterator[Item]:
    """The items, each when its time has come, until there are no more or it is to stop."""
    for item in items:
        while not gate.open.wait(LOOK_EVERY_S) and not stopping.is_set():
            pass
        if stopping.wait(pace.wait_s(time.monotonic())):
            return
        yield item
