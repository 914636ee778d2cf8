"""How many can ask and search at once: of a model that takes its time, of the store, and where the time goes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import numpy as np
import psutil
import psycopg
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings
from freshet.store.busy import busiest_titles
from local import readiness
from local.bench import material
from local.bench.backlog import until_documents
from local.bench.load import Load, apart
from local.bench.usage import Usage
from local.supervisor import Supervisor

Say = Callable[[str], None]

MODEL_DELAY_S: Final = 2.0
EVENTS: Final = 20_000
ALONE: Final = 5
"""So many answers of one asker are the measure for the others."""

ONCE_S: Final = 0.1
STILL_S: Final = 10
BY_A_MODEL: Final = '"answerer":"model"'


def overrides(model_port: int) -> dict[str, Any]:
    """Settings of a stack whose model is the stand-in on this port."""
    # all users have one address
    many = {"api_at_once": 0}
    return {"openai_base_url": f"http://127.0.0.1:{model_port}/v1", "answer_model": "stand-in", **many}


def measure(
    settings: Settings, model: psutil.Process, users: Sequence[int], seconds: float, pages: int, say: Say
) -> dict[str, Any]:
    """By number of users: searches per second with their milliseconds and errors, and how many times as long as for one
    asker an answer takes: `ask_p50_ratio` when all go on asking, having begun within MODEL_DELAY_S as people do, and
    `burst_p50_ratio` when all ask in the same millisecond, once. `cpu_ms` are those of a request, by process.

    They ask about the `pages` busiest pages, in turn: who asks the same at the same moment shares a search.
    """
    questions = _questions(settings, pages, say)
    url = f"http://{settings.api_host}:{settings.api_port}/v1"
    asks = [json.dumps({"question": question}) for question in questions]
    searches = [json.dumps({"query": question}) for question in questions]

    def ask(number: int, for_s: float, ramp_s: float = MODEL_DELAY_S) -> dict[str, Any]:
        say(f"{number} asking for {for_s:g} s")
        return _run(settings, model, Load(f"{url}/ask", asks, number, for_s, ramp_s, BY_A_MODEL))

    def search(number: int) -> dict[str, Any]:
        say(f"{number} searching for {seconds:g} s")
        return _run(settings, model, Load(f"{url}/search", searches, number, seconds, expected='"results"'))

    ask(len(questions), ONCE_S, ramp_s=0)
    alone = ask(1, ALONE * MODEL_DELAY_S)
    result: dict[str, Any] = {"1": {"ask": alone}}
    for number in users:
        asked, burst, searched = ask(number, seconds), ask(number, ONCE_S, ramp_s=0), search(number)
        result[str(number)] = {
            "requests_per_second": searched["requests_per_second"],
            "p50_ms": searched["p50_ms"],
            "p95_ms": searched["p95_ms"],
            "errors": searched["errors"] + asked["errors"] + burst["errors"],
            "ask_p50_ratio": round(asked["p50_ms"] / alone["p50_ms"], 3),
            "burst_p50_ratio": round(burst["p50_ms"] / alone["p50_ms"], 3),
            "ask": asked,
            "burst": burst,
            "search": searched,
        }
    return {**result, "model_delay_s": MODEL_DELAY_S, "questions": len(questions), "source": settings.source.value}


@contextmanager
def stand_in(port: int, delay_s: float = MODEL_DELAY_S) -> Iterator[psutil.Process]:
    """A stand-in for a model that takes `delay_s` to answer."""
    command = [sys.executable, "-m", "local.openai_server", "--port", str(port), "--delay", str(delay_s)]
    child = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL)
    try:
        retry(retry=retry_if_result(lambda ready: not ready), wait=wait_fixed(0.1), stop=stop_after_delay(120))(
            readiness.http(port)
        )()
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait()


def _questions(settings: Settings, most: int, say: Say) -> list[str]:
    """Questions about the busiest pages of a store that is made first."""
    say(f"indexing {EVENTS:,} events, through the stream")
    material.put_raw(settings, islice(material.events(settings.recording), EVENTS))
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        until_documents(connection, 1, say)
        until_documents(connection, None, say, still_s=STILL_S)
        connection.execute("ANALYZE")
        return [f"What is changing about {title}?" for title in busiest_titles(connection, most, "en")]


def _run(settings: Settings, model: psutil.Process, load: Load) -> dict[str, Any]:
    before = _cpu_seconds(model)
    with Usage(Supervisor(settings)) as usage:
        counted = apart(load)
    cpu = {
        **{name: usage.cpu_seconds.get(name, 0.0) for name in ("api", "postgres")},
        "model": _cpu_seconds(model) - before,
        "load": counted["cpu_seconds"],
    }
    return figures(counted, cpu)


def figures(counted: Mapping[str, Any], cpu_seconds: Mapping[str, float]) -> dict[str, Any]:
    """What a load came to. `timings_ms` are the medians of what the API says of its answers."""
    good = counted["milliseconds"]
    if not good:
        raise PermanentError(f"nothing was answered as expected: {counted['errors']}")
    p50, p95, p99 = (round(float(value), 1) for value in np.percentile(good, [50, 95, 99]))
    names = counted["timings"][0]
    return {
        "requests": len(good),
        "requests_per_second": round(len(good) / counted["seconds"], 1),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "errors": sum(counted["errors"].values()),
        "errors_by_kind": counted["errors"],
        "timings_ms": {
            name: round(float(np.median([timing[name] for timing in counted["timings"]])), 1) for name in names
        },
        "cpu_ms": {name: round(seconds * 1000 / len(good), 2) for name, seconds in cpu_seconds.items()},
        "cpu_cores": round(sum(cpu_seconds.values()) / counted["seconds"], 2),
    }


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
