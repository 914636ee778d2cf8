"""How fast a backlog is worked off: by the lake query (raw to silver and gold), by the indexer (gold to searchable)."""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate, islice
from typing import Any

import psycopg

from freshet import log
from freshet.contract import topics
from freshet.environment import environment_of
from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, PREFIX, Settings
from freshet.store import freshness
from local import ports
from local.bench import material
from local.bench.temporary import temporary_database

Say = Callable[[str], None]
Batch = Mapping[str, float]
"""`rows` and `seconds` of a lake batch."""

WARM_UP_EVENTS = 400_000
"""So many events pass before the lake's rate counts: the JVM compiles what it runs often."""

WARM = 0.95 * WARM_UP_EVENTS
"""The bound of a batch is divided among partitions, so a batch holds some records less than it may."""

REMAINDER = 0.01

FIRST_DOCUMENT_TIMEOUT_S = 120
INDEX_STILL_S = 15
MAKE_TIMEOUT_S = 900
CHUNK_EVENTS = 5_000
STILL_S = 3.0


def fill(settings: Settings, events: int, say: Say) -> None:
    """Write a backlog for `lake` to the log."""
    say(f"writing {WARM_UP_EVENTS:,} events to warm up and {events:,} to measure with to the log")
    material.put_raw(settings, islice(material.events(settings.recording), WARM_UP_EVENTS + events))


def lake(settings: Settings, say: Say) -> dict[str, Any]:
    """Drain the log through the lake query into a lake of the measurement's own. Returns what `lake_figures` does."""
    say("draining the log through the lake query")
    with tempfile.TemporaryDirectory(prefix="freshet-bench-lake-") as folder:
        own = settings.model_copy(update={"lake_root": f"file://{folder}"})
        done = subprocess.run(
            [sys.executable, "-m", "spark_jobs.drain"], cwd=CHECKOUT, capture_output=True, text=True, check=False,
            env={**os.environ, **environment_of(own)},
        )  # fmt: skip
    if done.returncode:
        raise PermanentError(f"the lake query failed: {done.stderr[-3000:]}")
    batches = json.loads(done.stdout.strip().splitlines()[-1])["batches"]
    return {**lake_figures(batches), "source": settings.source.value}


def lake_figures(batches: Sequence[Batch]) -> dict[str, Any]:
    """The rate of the batches after the warm-up (of all, when the log is that short), and of those in it.

    A last batch of the few records that the others left does not count: it costs what it costs to write anything.
    """
    before = list(accumulate((batch["rows"] for batch in batches), initial=0))
    first = next((place for place, rows in enumerate(before[:-1]) if rows >= WARM), 0)
    cold, warm = batches[:first], batches[first:]
    if len(warm) > 1 and warm[-1]["rows"] < REMAINDER * warm[0]["rows"]:
        warm = warm[:-1]
    return {
        "events_per_second": _rate(warm),
        "events": sum(batch["rows"] for batch in warm),
        "cold_events_per_second": _rate(cold),
        "warm_up_events": sum(batch["rows"] for batch in cold),
        "batches": batches,
    }


def _rate(batches: Sequence[Batch]) -> float | None:
    seconds = sum(batch["seconds"] for batch in batches)
    return round(sum(batch["rows"] for batch in batches) / seconds, 1) if seconds else None


def make_documents(settings: Settings, wanted: int, say: Say) -> None:
    """Feed raw events to the serve query until `wiki.gold` holds as many documents as wanted."""
    deadline = time.monotonic() + MAKE_TIMEOUT_S
    found = material.events(settings.recording)
    while (made := _end_of(settings, topics.GOLD)) < wanted:
        if time.monotonic() > deadline:
            raise PermanentError(f"only {made:,} of {wanted:,} documents were made in {MAKE_TIMEOUT_S} s")
        say(f"made {made:,} of {wanted:,}")
        material.put_raw(settings, islice(found, CHUNK_EVENTS))
        _until_still(lambda: _end_of(settings, topics.GOLD))


def index(settings: Settings, most: int, say: Say) -> dict[str, Any]:
    """Have an indexer of the measurement's own read `wiki.gold` from its beginning into a database of its own.

    It ends when `most` documents, or all there are, are searchable. The rate counts from the first transaction on; it
    is None when that held them all.
    """
    wanted = min(most, _end_of(settings, topics.GOLD))
    if wanted < 2:
        raise PermanentError(f"{topics.GOLD} holds {wanted} documents: there is nothing to measure with")
    with (
        temporary_database(settings.conninfo) as conninfo,
        _indexer(settings, conninfo),
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        first, began = until_documents(connection, 1, say)
        total, ended = until_documents(connection, wanted, say, still_s=INDEX_STILL_S)
        texts = freshness.count_texts(connection)
    return {
        "documents": total,
        "distinct_texts": texts,
        "seconds": round(ended - began, 2),
        "documents_per_second": round((total - first) / (ended - began), 1) if total > first else None,
        "source": settings.source.value,
    }


@contextmanager
def _indexer(settings: Settings, conninfo: str) -> Iterator[None]:
    (port,) = ports.find_free(1)
    own: Mapping[str, str] = {
        f"{PREFIX}POSTGRES_DSN": conninfo,
        f"{PREFIX}INDEXER_GROUP": f"freshet-bench-{uuid.uuid4().hex[:12]}",
        f"{PREFIX}INDEXER_METRICS_PORT": str(port),
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "indexer"], cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **environment_of(settings), **own},
    )  # fmt: skip
    try:
        yield
    finally:
        child.terminate()
        child.wait()


def _until_still(count: Callable[[], int]) -> None:
    """Wait until a count has grown and then not for a while."""
    before, now = -1, count()
    while now != before:
        time.sleep(STILL_S)
        before, now = now, count()


def _end_of(settings: Settings, topic: str) -> int:
    consumer = log.reader(settings)
    try:
        return sum(high for _, high in log.watermarks(consumer, topic).values())
    finally:
        consumer.close()


def until_documents(
    connection: psycopg.Connection, wanted: int | None, say: Say, still_s: float = FIRST_DOCUMENT_TIMEOUT_S
) -> tuple[int, float]:
    """Wait until so many documents are there (None: all that come), or until no more come. Returns how many, and since
    when.

    No more than what is there may come: a document that is on the log twice is one.
    """
    there, since, said = 0, time.monotonic(), 0.0
    while (wanted is None or there < wanted) and time.monotonic() < since + still_s:
        time.sleep(0.05)
        if (now := freshness.count_documents(connection)) > there:
            there, since = now, time.monotonic()
        if time.monotonic() > said + 1:
            said = time.monotonic()
            say(f"indexed {there:,}" + (f" of {wanted:,}" if wanted else ""))
    if not there:
        raise PermanentError(f"the indexer made no document searchable in {still_s:g} s")
    return there, since
