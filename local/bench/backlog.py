"""How fast a backlog is worked off: by the lake query (raw to silver and gold), by the indexer (gold to searchable)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg

from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings
from freshet.store import freshness
from local import running
from local.bench import material
from local.supervisor import Supervisor

Say = Callable[[str], None]

INDEX_TIMEOUT_S = 3600


def lake(settings: Settings, events: int, say: Say) -> dict[str, Any]:
    """Write a backlog of events and drain it through the lake query. The time of the JVM's start does not count."""
    say(f"writing {events:,} events to the log")
    material.put_raw(settings, material.events(settings.recording, events))
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
    """Write a backlog of documents, start the indexer, and wait until all of them are searchable by meaning."""
    say(f"writing {documents:,} documents to the log")
    found = (event for event in material.events(settings.recording, documents * 50) if material.is_content_edit(event))
    wanted = [event for event, _ in zip(found, range(documents), strict=False)]
    if material.put_gold(settings, wanted) < documents:
        raise PermanentError(f"only {len(wanted):,} of {documents:,} documents could be made")
    control.start("indexer")
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        first, began = _until(connection, 1, say)
        total, ended = _until(connection, documents, say)
    seconds = ended - began
    return {
        "documents": total,
        "seconds": round(seconds, 2),
        "documents_per_second": round((total - first) / seconds, 1),
        "distinct_texts": len({(event["title"], event.get("comment")) for event in wanted}),
    }


def _until(connection: psycopg.Connection, wanted: int, say: Say) -> tuple[int, float]:
    """Wait until so many documents are there. Returns how many there are, and the moment."""
    deadline = time.monotonic() + INDEX_TIMEOUT_S
    while (there := freshness.count_documents(connection)) < wanted:
        if time.monotonic() > deadline:
            raise PermanentError(f"only {there:,} of {wanted:,} documents after {INDEX_TIMEOUT_S} s")
        say(f"indexed {there:,} of {wanted:,}")
        time.sleep(0.05)
    return there, time.monotonic()
