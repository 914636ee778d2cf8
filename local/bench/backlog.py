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
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from freshet import log
from freshet.contract import topics
from freshet.environment import environment_of
from freshet.errors import PermanentError
from freshet.lake import LAYERS
from freshet.settings import CHECKOUT, PREFIX, Settings
from freshet.store import freshness
from local import ports, readiness
from local.bench import material
from local.bench.temporary import temporary_database
from local.bench.usage import UsageHistory
from local.process import Readiness

Say = Callable[[str], None]
Batch = Mapping[str, Any]
"""`rows` and `seconds` of a lake batch, and `cpu_seconds` by process."""

WARM_UP_EVENTS = 400_000
"""So many events pass before the lake's rate counts: the JVM compiles what it runs often."""

WARM = 0.95
"""The bound of a batch is divided among partitions, so a batch holds some records less than it may."""

REMAINDER = 0.01
LEAST = 100
"""Fewer records are no batch to measure."""

FIRST_DOCUMENT_TIMEOUT_S = 120
INDEX_STILL_S = 15
READY_TIMEOUT_S = 120
MAKE_TIMEOUT_S = 900
CHUNK_EVENTS = 5_000
STILL_S = 3.0


def fill(settings: Settings, events: int, say: Say) -> None:
    """Write a backlog for `lake` to the log."""
    say(f"writing {WARM_UP_EVENTS:,} events to warm up and {events:,} to measure with to the log")
    material.put_raw(settings, islice(material.events(settings.recording), WARM_UP_EVENTS + events))


def lake(
    settings: Settings, say: Say, warm_up: int = WARM_UP_EVENTS, beside: Mapping[str, int] = MappingProxyType({})
) -> dict[str, Any]:
    """Drain the log through the lake query into a lake of the measurement's own.

    Returns what `lake_figures` does, the memory as `UsageHistory.memory_mb`, and the `bytes` of each table. `beside`
    are further processes by name whose CPU is of interest.
    """
    say("draining the log through the lake query")
    with tempfile.TemporaryDirectory(prefix="freshet-bench-lake-") as folder:
        own = settings.model_copy(update={"lake_root": f"file://{folder}"})
        child = subprocess.Popen(
            [sys.executable, "-m", "spark_jobs.drain"], cwd=CHECKOUT, text=True, env=_environment(own),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            with UsageHistory({"lake": child.pid, **beside}) as history:
                printed, said = child.communicate()
        finally:
            child.kill()
        if child.returncode:
            raise PermanentError(f"the lake query failed: {said[-3000:]}")
        written = {layer: folder_bytes(Path(folder) / layer, "*.parquet") for layer in LAYERS}
    batches = json.loads(printed.strip().splitlines()[-1])["batches"]
    # the history's clock is another than that of the batches
    apart = time.monotonic() - time.time()
    for batch in batches:
        began = batch.pop("began") + apart
        batch["cpu_seconds"] = history.used(began, began + batch["seconds"])
    memory = history.memory_mb()["lake"]
    return {**lake_figures(batches, warm_up), "memory_mb": memory, "bytes": written, "source": settings.source.value}


def lake_figures(batches: Sequence[Batch], warm_up: int = WARM_UP_EVENTS) -> dict[str, Any]:
    """The rate of the batches after the warm-up (of all, when the log is that short), and of those in it.

    A last batch of the few records that the others left does not count: it costs what it costs to write anything.
    """
    before = list(accumulate((batch["rows"] for batch in batches), initial=0))
    enough = (place for place, rows in enumerate(before[:-1]) if rows >= WARM * warm_up and before[-1] - rows >= LEAST)
    first = next(enough, 0)
    cold, warm = batches[:first], batches[first:]
    if len(warm) > 1 and warm[-1]["rows"] < REMAINDER * warm[0]["rows"]:
        warm = warm[:-1]
    names = sorted({name for batch in warm for name in batch.get("cpu_seconds", {})})
    return {
        "events_per_second": _rate(warm),
        "events": sum(batch["rows"] for batch in warm),
        "seconds": sum(batch["seconds"] for batch in warm),
        "cpu_seconds": {name: round(sum(batch["cpu_seconds"][name] for batch in warm), 2) for name in names},
        "cold_events_per_second": _rate(cold),
        "warm_up_events": sum(batch["rows"] for batch in cold),
        "batches": batches,
    }


def folder_bytes(folder: Path, pattern: str) -> int:
    """The size of the files in a folder, and in those below it, whose names are like this."""
    return sum(file.stat().st_size for file in folder.rglob(pattern))


def _rate(batches: Sequence[Batch]) -> float | None:
    seconds = sum(batch["seconds"] for batch in batches)
    return round(sum(batch["rows"] for batch in batches) / seconds, 1) if seconds else None


def make_documents(settings: Settings, wanted: int, say: Say) -> None:
    """Feed raw events to the serve query until `wiki.gold` holds as many documents as wanted."""
    deadline = time.monotonic() + MAKE_TIMEOUT_S
    found = material.events(settings.recording)
    while (made := end_of(settings, topics.GOLD)) < wanted:
        if time.monotonic() > deadline:
            raise PermanentError(f"only {made:,} of {wanted:,} documents were made in {MAKE_TIMEOUT_S} s")
        say(f"made {made:,} of {wanted:,}")
        material.put_raw(settings, islice(found, CHUNK_EVENTS))
        _until_still(lambda: end_of(settings, topics.GOLD))


def index(
    settings: Settings, most: int, say: Say, indexers: int = 1, beside: Mapping[str, int] = MappingProxyType({})
) -> dict[str, Any]:
    """Have indexers of the measurement's own read `wiki.gold` from its beginning into a database of its own; so many
    share the partitions, and the sessions of the settings.

    It ends when `most` documents, or all there are, are searchable. The rate counts from the first transaction on, and
    only when all indexers work; it is None when by then all was done.
    """
    wanted = min(most, end_of(settings, topics.GOLD))
    if wanted < 2:
        raise PermanentError(f"{topics.GOLD} holds {wanted} documents: there is nothing to measure with")
    with (
        temporary_database(settings.conninfo) as conninfo,
        _indexers(settings, conninfo, indexers) as (pids, ready),
        UsageHistory({**pids, **beside}) as history,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        until_documents(connection, 1, say)
        until(lambda: all(works() for works in ready), READY_TIMEOUT_S)
        first, began = freshness.count_documents(connection), time.monotonic()
        total, ended = until_documents(connection, wanted, say, still_s=INDEX_STILL_S)
        texts = freshness.count_texts(connection)
    used = history.used(began, ended)
    return {
        "documents": total,
        "distinct_texts": texts,
        "seconds": round(ended - began, 2),
        "documents_per_second": round((total - first) / (ended - began), 1) if total > first else None,
        "documents_measured": total - first,
        "cpu_seconds": {
            "indexer": round(sum(used[name] for name in pids), 2),
            **{name: round(used[name], 2) for name in beside},
        },
        "memory_mb": {name: seen for name, seen in history.memory_mb().items() if name in pids},
        "indexers": indexers,
        "source": settings.source.value,
    }


@contextmanager
def _indexers(settings: Settings, conninfo: str, number: int) -> Iterator[tuple[dict[str, int], list[Readiness]]]:
    """Process ids by name, and how to see that each works."""
    own = {
        f"{PREFIX}POSTGRES_DSN": conninfo,
        f"{PREFIX}INDEXER_GROUP": f"freshet-bench-{uuid.uuid4().hex[:12]}",
        f"{PREFIX}EMBEDDING_SESSIONS": str(max(1, settings.embedding_sessions // number)),
    }
    free = ports.find_free(number)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "indexer"], cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**_environment(settings), **own, f"{PREFIX}INDEXER_METRICS_PORT": str(port)},
        )
        for port in free
    ]  # fmt: skip
    try:
        pids = {f"indexer-{place}": child.pid for place, child in enumerate(children, start=1)}
        yield pids, [readiness.http(port) for port in free]
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def until(ready: Readiness, timeout_s: float) -> None:
    """Wait for something. Raises PermanentError when it does not come."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            raise PermanentError(f"a process that is to be measured was not ready after {timeout_s:g} s")
        time.sleep(0.1)


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, **environment_of(settings)}


def _until_still(count: Callable[[], int]) -> None:
    """Wait until a count has grown and then not for a while."""
    before, now = -1, count()
    while now != before:
        time.sleep(STILL_S)
        before, now = now, count()


def end_of(settings: Settings, topic: str) -> int:
    """How many records were ever written to a topic."""
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
