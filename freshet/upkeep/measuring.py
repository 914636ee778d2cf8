"""Measures what the checks judge: of the lake, of Kafka and of Postgres, each within a bounded time. Nothing is raised.

Whoever cannot be asked gives the reason instead.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, time
from typing import Final, TypeVar

import psycopg
from confluent_kafka import KafkaException
from deltalake.exceptions import DeltaError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from freshet.contract import topics
from freshet.errors import FreshetError
from freshet.offsets import Marks, Offsets, Places, reason, unread
from freshet.settings import Settings
from freshet.store import sla as store
from freshet.upkeep import lake_files
from freshet.upkeep.observations import LakeSeen, LogSeen, Observations, Owed, StoreSeen
from freshet.upkeep.received import heard_at
from freshet.upkeep.served import Served, served

Found = TypeVar("Found")
TOPICS: Final = (topics.RAW, topics.SILVER, topics.GOLD, topics.REJECTED)


def observe(settings: Settings) -> Observations:
    """Everything, one after another."""
    lake = _lake(settings)
    log = _log(settings, lake)
    stored = _store(settings)
    return Observations(datetime.now(UTC), log, stored, lake)


def _lake(settings: Settings) -> LakeSeen | str:
    try:
        return _within(settings.sla_timeout_s, lambda: lake_files.look(settings))
    except TimeoutError:
        return f"the lake does not answer: nothing within {settings.sla_timeout_s:g} s"
    except (DeltaError, OSError) as error:
        return f"the lake cannot be read: {type(error).__name__}"


def _store(settings: Settings) -> StoreSeen | str:
    try:
        with store.connect(settings.conninfo, settings.sla_timeout_s) as connection:
            return StoreSeen(*store.searchable(connection))
    except (psycopg.Error, FreshetError) as error:
        return f"Postgres does not answer: {error}"


def _log(settings: Settings, lake: LakeSeen | str) -> LogSeen | str:
    deadline = monotonic() + settings.sla_timeout_s
    patiently = Retrying(
        retry=retry_if_exception(_answers),
        wait=wait_fixed(0.2),
        stop=stop_after_delay(settings.sla_timeout_s),
        reraise=True,
    )
    try:
        return patiently(lambda: _Log(settings, deadline).seen(lake))
    except (KafkaException, TimeoutError) as error:
        return f"Kafka does not answer: {reason(error, settings.sla_timeout_s)}"


def _answers(error: BaseException) -> bool:
    """Whether the broker itself refused: a partition that is between two leaders has one in a moment."""
    return isinstance(error, KafkaException) and error.args[0].code() > 0


class _Log:
    """The broker, asked until a deadline."""

    def __init__(self, settings: Settings, deadline: float) -> None:
        self._settings = settings
        self._deadline = deadline
        self._offsets = Offsets(settings)
        self._marks = self._offsets.marks(TOPICS, deadline)

    def seen(self, lake: LakeSeen | str) -> LogSeen:
        """All that it tells."""
        newest = {name: _newest(marks) for name, marks in self._marks.items()}
        gold = self._marks[topics.GOLD]
        group = self._settings.indexer_group
        committed = self._offsets.committed(group, topics.GOLD, gold, self._deadline) if gold else {}
        return LogSeen(
            raw_at=heard_at(self._settings, newest[topics.RAW], self._deadline),
            silver_at=newest[topics.SILVER],
            gold_at=newest[topics.GOLD],
            unserved=self._owed(topics.RAW, self._served()),
            unindexed=self._owed(topics.GOLD, committed),
            unlaked=None if isinstance(lake, str) else self._owed(topics.RAW, self._laked(lake)),
            received=self._in_window(topics.RAW),
            rejected=self._in_window(topics.REJECTED),
        )

    def _served(self) -> Places:
        found = served(self._settings, self._marks, self._deadline)
        return self._reached(found)

    def _laked(self, lake: LakeSeen) -> Places:
        until = lake.logged_until
        return self._reached(Served(round(until.timestamp() * 1000) if until else -1))

    def _reached(self, found: Served) -> Places:
        """The next raw offset by partition: behind all that is as old as the newest that was done."""
        raw = self._marks[topics.RAW]
        if found.until_ms < 0:
            return found.offsets
        behind = self._offsets.since(topics.RAW, raw, found.until_ms + 1, self._deadline)
        return {number: max(behind[number], found.offsets.get(number, -1)) for number in raw}

    def _owed(self, topic: str, reached: Places) -> Owed:
        waiting = unread(self._marks[topic], reached)
        places = {number: offsets.start for number, offsets in waiting.items() if offsets}
        if not places:
            return Owed()
        oldest_ms = self._offsets.oldest_ms(topic, places, self._deadline)
        return Owed(sum(map(len, waiting.values())), _moment(oldest_ms) if oldest_ms is not None else None)

    def _in_window(self, topic: str) -> int:
        marks = self._marks[topic]
        begun_ms = round((time() - self._settings.sla_rejected_window_s) * 1000)
        first = self._offsets.since(topic, marks, begun_ms, self._deadline)
        return sum(part.end - min(part.end, max(part.first, first[number])) for number, part in marks.items())


def _newest(marks: Mapping[int, Marks]) -> datetime | None:
    newest_ms = max((part.newest_ms for part in marks.values()), default=-1)
    return _moment(newest_ms) if newest_ms >= 0 else None


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _within(seconds: float, look: Callable[[], Found]) -> Found:
    """What it returns or raises; TimeoutError when that takes too long, and it is left to itself."""
    answers: SimpleQueue[Found | Exception] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put(look())
        except Exception as error:  # noqa: BLE001 - it is raised again where the answer is waited for
            answers.put(error)

    Thread(target=answer, name="look", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found
