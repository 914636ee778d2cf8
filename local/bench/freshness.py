"""How long an edit takes until it is searchable, at a steady rate, with everything running."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from freshet import log
from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store import freshness
from local.bench import beside
from local.bench.usage import Usage
from local.supervisor import Supervisor

Say = Callable[[str], None]

WARM_UP_S = 20
"""So long the stream flows before the measurement begins: the JVM compiles and the caches fill."""
BACKFILL_LEAD_S = 5
"""So long a backfill runs before the window that it is measured in: its process starts and its first documents come."""
FIRST_DOCUMENT_TIMEOUT_S = 120


def measure(settings: Settings, seconds: float, say: Say, backfill: float = 0) -> dict[str, Any]:
    """Percentiles (ms) over the documents received in a window of `seconds`, and what the processes used in it.

    With `backfill` a second window follows, during which a backfill reads so many events a second; its percentiles are
    of what came live as well.
    """
    _await_documents(settings, say)
    say(f"warming up for {WARM_UP_S} s")
    time.sleep(WARM_UP_S)
    without = window(settings, seconds, say)
    if not backfill:
        return without
    live = round(settings.rate * (2 * seconds + 3 * WARM_UP_S))
    say(f"a backfill of {backfill:g} events/s begins")
    with beside.backfilling(settings, backfill, seconds + WARM_UP_S, live) as report:
        time.sleep(BACKFILL_LEAD_S)
        during = window(settings, seconds, say)
    return {**without, "during_backfill": compared(without, during, backfill, report)}


def compared(
    without: Mapping[str, Any], during: Mapping[str, Any], rate: float, report: Mapping[str, Any]
) -> dict[str, Any]:
    """The window with a backfill beside that without one: `ratio` is how many times as long it took."""
    name = "received_to_searchable_ms"
    marks = ("p50", "p95", "p99")
    return {
        name: during[name],
        "ratio": {mark: round(during[name][mark] / without[name][mark], 2) for mark in marks},
        "events_per_second": during["events_per_second"],
        "cpu_cores": during["cpu_cores"],
        "backfill_rate": rate,
        "backfill_sent_per_second": round(report["sent"] / report["seconds"], 1),
        "backfill_waited_seconds": report["waited_seconds"],
    }


def window(settings: Settings, seconds: float, say: Say) -> dict[str, Any]:
    """What `measure` says of one window."""
    say(f"measuring for {seconds:g} s")
    since, raw_before = datetime.now(UTC), _raw_records(settings)
    with Usage(Supervisor(settings)) as usage:
        time.sleep(seconds)
    until, raw_after = datetime.now(UTC), _raw_records(settings)
    _await_last(settings, until, say)
    with psycopg.connect(settings.conninfo) as connection:
        stages = freshness.percentiles(connection, since, until)
    elapsed = (until - since).total_seconds()
    return {
        "received_to_searchable_ms": stages["received_to_searchable"],
        "event_to_searchable_ms": stages["event_to_searchable"],
        "stages_ms": {name: stages[name] for name in ("received_to_raw", "raw_to_gold", "gold_to_searchable")},
        "events_per_second": round((raw_after - raw_before) / elapsed, 1),
        "documents": stages["received_to_searchable"]["count"],
        "seconds": round(elapsed, 1),
        "source": settings.source.value,
        "cpu_cores": round(sum(usage.cpu_seconds.values()) / elapsed, 3),
        "cpu_seconds": usage.cpu_seconds,
        "memory_mb": round(sum(usage.peak_memory_mb.values())),
        "peak_memory_mb": usage.peak_memory_mb,
    }


def _await_documents(settings: Settings, say: Say) -> None:
    say("waiting for the first document")
    deadline = time.monotonic() + FIRST_DOCUMENT_TIMEOUT_S
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        while not freshness.count_documents(connection):
            if time.monotonic() > deadline:
                raise PermanentError(f"no document after {FIRST_DOCUMENT_TIMEOUT_S} s; see `freshet status`")
            time.sleep(0.5)


def _await_last(settings: Settings, until: datetime, say: Say) -> None:
    """Until the index has gone past the window's end, or stands still for a while."""
    say("letting the last documents of the window arrive")
    deadline = time.monotonic() + 30
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        while time.monotonic() < deadline:
            later = freshness.percentiles(connection, until, until + timedelta(hours=1))
            if later["received_to_searchable"]["count"] > 0:
                return
            time.sleep(0.5)


def _raw_records(settings: Settings) -> int:
    consumer = log.reader(settings)
    try:
        return sum(high for _, high in log.watermarks(consumer, topics.RAW).values())
    finally:
        consumer.close()
