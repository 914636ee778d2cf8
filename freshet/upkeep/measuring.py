"""Measures what the checks judge: of the lake, of Kafka and of Postgres, each within a bounded time. Nothing is raised.

Whoever cannot be asked gives the reason instead.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TypeVar

import psycopg
from confluent_kafka import KafkaException
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from freshet.contract import topics
from freshet.delta import UNREADABLE
from freshet.errors import FreshetError
from freshet.offsets import Offsets, reason
from freshet.settings import Settings
from freshet.store import sla as store
from freshet.upkeep import lake_files
from freshet.upkeep.log_state import LogState
from freshet.upkeep.observations import LakeSeen, LogSeen, Observations, StoreSeen

Found = TypeVar("Found")


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
    except UNREADABLE as error:
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
        return patiently(lambda: _seen(settings, LogState(settings, Offsets(settings), deadline), lake))
    except (KafkaException, TimeoutError) as error:
        return f"Kafka does not answer: {reason(error, settings.sla_timeout_s)}"


def _seen(settings: Settings, log: LogState, lake: LakeSeen | str) -> LogSeen:
    return LogSeen(
        raw_at=log.heard_at(),
        silver_at=log.newest(topics.SILVER),
        gold_at=log.newest(topics.GOLD),
        unserved=log.unserved(),
        unindexed=log.unindexed(),
        unlaked=None if isinstance(lake, str) else log.unlaked(lake.logged_until),
        received=log.in_window(topics.RAW, settings.sla_rejected_window_s),
        rejected=log.in_window(topics.REJECTED, settings.sla_rejected_window_s),
    )


def _answers(error: BaseException) -> bool:
    """Whether the broker itself refused: a partition that is between two leaders has one in a moment."""
    return isinstance(error, KafkaException) and error.args[0].code() > 0


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
