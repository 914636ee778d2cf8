"""How fast a backlog is worked off: by the lake query (raw to silver and gold), by the indexer (gold to searchable)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import psycopg

from freshet import log
from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings
from freshet.store import freshness
from local import running
from local.bench import material
from local.supervisor import Supervisor

Say = Callable[[str], None]

INDEX_TIMEOUT_S = 3600
MAKE_TIMEOUT_S = 900
CHUNK_EVENTS = 5_000
STILL_S = 3.0


def lake(settings: Settings, events: int, say: Say) -> dict[str, Any]:
    """Write a backlog of events and drain it through the lake query. The time of the JVM's start does not count."""
    say(f"writing {events:,} events to the log")
    material.put_raw(settings, islice(material.events(settings.recording), events))
    say("draining them through the lake query")
    done = subprocess.run(
        [sys.executable, "-m", "spark_jobs.drain"], cwd=CHECKOUT, capture_output=True, text=True, check=False,
        env={**os.environ, **running.environment_of(settings)},
    )  # fmt: skip
    if done.returncode:
        raise PermanentError(f"the lake query failed: {done.stderr[-3000:]}")
    report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {"events": events, "events_per_second": round(report["rows"] / report["seconds"], 1), **report}


def index(settings: Settings, documents: int, control: Supervisor, say: Say) -> dict[str, Any]:
    """Have the serve query make a backlog of documents, then start the indexer and wait until all are searchable."""
    say(f"making {documents:,} documents with the serve query")
    backlog = _make_documents(settings, documents, say)
    control.stop("stream")
    control.start("indexer")
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        first, began = _until(connection, 1, say)
        total, ended = _until(connection, backlog, say)
        texts = freshness.count_texts(connection)
    return {
        "documents": total,
        "distinct_texts": texts,
        "seconds": round(ended - began, 2),
        "documents_per_second": round((total - first) / (ended - began), 1),
        "source": settings.source.value,
    }


def _make_documents(settings: Settings, wanted: int, say: Say) -> int:
    """Feed raw events until `wiki.gold` holds as many documents as wanted. Returns how many it holds."""
    deadline = time.monotonic() + MAKE_TIMEOUT_S
    found = material.events(settings.recording)
    while (made := _end_of(settings, topics.GOLD)) < wanted:
        if time.monotonic() > deadline:
            raise PermanentError(f"only {made:,} of {wanted:,} documents were made in {MAKE_TIMEOUT_S} s")
        say(f"made {made:,} of {wanted:,}")
        material.put_raw(settings, islice(found, CHUNK_EVENTS))
        _until_still(lambda: _end_of(settings, topics.GOLD))
    return made


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


def _until(connection: psycopg.Connection, wanted: int, say: Say) -> tuple[int, float]:
    """Wait until so many documents are there. Returns how many there are, and the moment."""
    deadline = time.monotonic() + INDEX_TIMEOUT_S
    while (there := freshness.count_documents(connection)) < wanted:
        if time.monotonic() > deadline:
            raise PermanentError(f"only {there:,} of {wanted:,} documents after {INDEX_TIMEOUT_S} s")
        say(f"indexed {there:,} of {wanted:,}")
        time.sleep(0.05)
    return there, time.monotonic()
