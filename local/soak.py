"""A long run with everything on: what each process keeps, and whether edits stay as fresh as they were."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import psutil
import psycopg

from freshet.settings import Settings
from freshet.store import freshness
from local import soak_jobs
from local.bench.watching import trend
from local.client import client
from local.kept import parts_mb
from local.overview import tree_memory_mb
from local.supervisor import Supervisor
from local.trees import told, tree

Say = Callable[[str], None]

EVERY_S: Final = 15.0
WARM_UP_SHARE: Final = 1 / 6
"""Of the run: its first ten minutes in an hour. Caches fill, and the JVMs take what they may have."""
WINDOW_SHARE: Final = 1 / 6
"""Of the run: the first and the last window of freshness after the warm-up."""
ASK_TIMEOUT_S: Final = 30.0
QUESTIONS: Final = ("Which pages about volcanoes are changing?", "What was reverted?", "Which films are being edited?")


@dataclass(frozen=True)
class Sample:
    """Memory (MB) and open file handles of each process with its children, so many seconds from the start; `parts_mb`
    is what `kept.parts_mb` says of them."""

    seconds: float
    memory_mb: Mapping[str, float]
    handles: Mapping[str, int]
    pids: Mapping[str, int]
    parts_mb: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def run(settings: Settings, seconds: float, say: Say) -> dict[str, Any]:
    """Let a running stack be for so long, with a question now and then: what `report` says of it."""
    control, samples, answers = Supervisor(settings), list[Sample](), Counter[str]()
    start, began = time.monotonic(), datetime.now(UTC)
    for number in range(1, max(2, round(seconds / EVERY_S)) + 1):
        time.sleep(max(0.0, start + number * EVERY_S - time.monotonic()))
        answers[_ask(settings, QUESTIONS[number % len(QUESTIONS)])] += 1
        samples.append(_sample(settings, control, time.monotonic() - start))
        say(f"{samples[-1].seconds:5.0f} s: {sum(samples[-1].memory_mb.values()):,.0f} MB, answers {dict(answers)}")
    warm, length = began + timedelta(seconds=seconds * WARM_UP_SHARE), timedelta(seconds=seconds * WINDOW_SHARE)
    end = began + timedelta(seconds=seconds)
    windows = {"first": (warm, warm + length), "last": (end - length, end)}
    with psycopg.connect(settings.conninfo) as connection:
        first, last = (
            freshness.percentiles(connection, *window)["received_to_searchable"] for window in windows.values()
        )
    return {
        **report([sample for sample in samples if sample.seconds >= seconds * WARM_UP_SHARE], first, last),
        "airflow_seconds": soak_jobs.worked(settings, windows),
        "answers": dict(answers),
        "minutes": round(seconds / 60, 1),
        "rate": settings.rate,
        "source": settings.source.value,
    }


def report(samples: Sequence[Sample], first: Mapping[str, float], last: Mapping[str, float]) -> dict[str, Any]:
    """First and last value and slope an hour of what each process keeps, and the freshness (ms) of two windows.

    `restarts` names the processes that did not run through.
    """
    seconds = [sample.seconds for sample in samples]
    names = [
        name for name in samples[0].pids if all(sample.pids.get(name) == samples[0].pids[name] for sample in samples)
    ]
    return {
        "received_to_searchable_ms": {"first": dict(first), "last": dict(last), "p95_ratio": _ratio(first, last)},
        "processes": {
            name: {
                "memory_mb": trend(seconds, [sample.memory_mb[name] for sample in samples], "slope_mb_per_hour"),
                "handles": trend(seconds, [sample.handles[name] for sample in samples], "slope_per_hour"),
                "parts_mb": _parts(samples, name),
            }
            for name in names
        },
        "restarts": sorted({name for sample in samples for name in sample.pids} - set(names)),
    }


def _parts(samples: Sequence[Sample], name: str) -> dict[str, dict[str, float | None]]:
    told = [(sample.seconds, found) for sample in samples if (found := sample.parts_mb.get(name))]
    seconds = [at for at, _ in told]
    return {
        part: trend(seconds, [found[part] for _, found in told], "slope_mb_per_hour")
        for part in (told[0][1] if told else ())
    }


def _ratio(first: Mapping[str, float], last: Mapping[str, float]) -> float | None:
    return round(last["p95"] / first["p95"], 2) if first.get("p95") and last.get("p95") else None


def _sample(settings: Settings, control: Supervisor, seconds: float) -> Sample:
    pids = {name: state.pid for name, state in control.states().items() if state.pid}
    memory = {name: tree_memory_mb(pid) or 0.0 for name, pid in pids.items()}
    return Sample(seconds, memory, {name: _handles(pid) for name, pid in pids.items()}, pids, parts_mb(settings, pids))


def _handles(pid: int) -> int:
    """Open file handles of a process and its descendants."""
    return sum(told(tree(pid), _handles_of))


def _handles_of(process: psutil.Process) -> int:
    with suppress(psutil.AccessDenied):
        return process.num_fds()
    return 0  # a zombie: it has none, and they are not shown


def _ask(settings: Settings, question: str) -> str:
    """Ask it, and return the HTTP status."""
    try:
        with client(settings, ASK_TIMEOUT_S) as api:
            return str(api.post("/v1/ask", json={"question": question}).status_code)
    except httpx.HTTPError:
        return "none"
