"""What the pages cost: how soon one is of use, what many open ones do to searches, what one does in a long time."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg

from freshet.errors import ConfigError, PermanentError
from freshet.settings import Settings
from freshet.store.busy import busiest_titles
from local.bench import loading, material, watching
from local.bench.backlog import until_documents
from local.bench.load import Load, apart
from local.bench.open_pages import Pages, opened
from local.bench.usage import Usage
from local.browser import browser
from local.supervisor import Supervisor

Say = Callable[[str], None]

WARM_UP_S: Final = 20
"""So long edits come before anything is measured: there must be some to search, and what runs often is compiled."""

SEARCHERS: Final = 4
PAUSE_S: Final = 0.1
"""People who search, some 35 times a second in all: a quarter of a core, so that what is measured is how long a search
takes and not how long it waits for the other searchers."""

TITLES: Final = 50
ROUNDS: Final = 2
"""Without and with open pages in turn, so that what else the machine does meets both."""

SETTLED_S: Final = 3.0
"""Between two runs: what the pages asked last is answered."""

SERVERS: Final = ("ui", "api", "postgres")
LOAD_S: Final = 10
START_S: Final = 90
"""Most that a load, and all that is not measured, takes."""


def check(recording: Path | None, rate: float, seconds: float) -> None:
    """Raises ConfigError, before a stack is started, when there is no browser or the recording ends too soon."""
    with browser():
        pass
    if recording is None:
        return
    there = sum(1 for _ in material.recorded(recording))
    if there < rate * seconds:
        raise ConfigError(
            f"{recording} ends after {there / rate:.0f} s at {rate:g} events/s, and this takes {seconds:.0f} s: leave"
            " out --recording, or lower --rate, --minutes or --seconds"
        )


def duration(loads: int, seconds: float, minutes: float) -> float:
    """For how long edits must come, s."""
    return START_S + LOAD_S * loads + 2 * ROUNDS * seconds + 60 * minutes


def measure(settings: Settings, loads: int, pages: int, seconds: float, minutes: float, say: Say) -> dict[str, Any]:
    """`load_ms`, `search` without and with open pages, and with `minutes` one long open `page`; `browser_errors` are
    what the consoles of all those pages said, with how often."""
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        until_documents(connection, 1, say)
        say(f"warming up for {WARM_UP_S} s")
        time.sleep(WARM_UP_S)
        url = f"http://{settings.ui_host}:{settings.ui_port}"
        errors: Counter[str] = Counter()
        loaded = loading.measure(url, loads, errors, say)
        titles = busiest_titles(connection, TITLES)
    result = {
        "load_ms": loaded,
        "search": _search(settings, Pages(url, questions(titles, pages)), titles, seconds, say),
    }
    if minutes:
        say(f"one page open for {minutes:g} minutes")
        result["page"] = watching.measure(url, _pid(settings, "ui"), minutes, errors, say)
    return {**result, "browser_errors": dict(errors), "rate": settings.rate, "source": settings.source.value}


def questions(titles: Sequence[str], number: int) -> list[str]:
    """So many different ones."""
    return [
        f"What has changed about {title}, question {n}?" for n, title in enumerate(islice(cycle(titles), number), 1)
    ]


def _search(settings: Settings, pages: Pages, titles: Sequence[str], seconds: float, say: Say) -> dict[str, Any]:
    bodies = [json.dumps({"query": title}) for title in titles]
    url = f"http://{settings.api_host}:{settings.api_port}/v1/search"
    load = Load(url, bodies, SEARCHERS, seconds, PAUSE_S, '"results"', PAUSE_S)
    without: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for number in range(ROUNDS):
        for runs, opening in ((without, None), (beside, pages)):
            with_words = f"with {len(pages.questions)} open pages" if opening else "without an open page"
            say(f"round {number + 1}: {SEARCHERS} searching for {seconds:g} s {with_words}")
            runs.append(_run(settings, load, opening))
            time.sleep(SETTLED_S)
    result = {"without_pages": pooled(without), "with_pages": {**pooled(beside), **read(beside, len(pages.questions))}}
    ratio = result["with_pages"]["latency_ms"]["p95"] / result["without_pages"]["latency_ms"]["p95"]
    return {**result, "ratio": round(ratio, 3), "pages": len(pages.questions), "searchers": SEARCHERS}


def _run(settings: Settings, load: Load, pages: Pages | None) -> dict[str, Any]:
    """What the searchers counted, `cpu_cores` by process, and what the open pages counted as `pages`."""
    with ExitStack() as stack:
        counted = stack.enter_context(opened(pages)) if pages else None
        with Usage(Supervisor(settings)) as usage:
            searched = apart(load)
    used = {**{name: usage.cpu_seconds.get(name, 0.0) for name in SERVERS}, "searchers": searched["cpu_seconds"]}
    cores = {name: seconds / searched["seconds"] for name, seconds in used.items()}
    if counted:
        cores["open_pages"] = counted["cpu_seconds"] / counted["seconds"]
    return {**searched, "cpu_cores": cores, "pages": counted}


def pooled(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Percentiles over the searches of all runs, and `p95_ms_by_round` to see how much they differ."""
    took = [run["milliseconds"] for run in runs]
    if not all(took):
        raise PermanentError(f"no search was answered as expected: {[run['errors'] for run in runs]}")
    together = np.concatenate(took)
    return {
        "latency_ms": _percentiles(together, 50, 95, 99),
        "p95_ms_by_round": [_percentiles(one, 95)["p95"] for one in took],
        "requests": len(together),
        "requests_per_second": round(len(together) / sum(run["seconds"] for run in runs), 1),
        "errors": sum(sum(run["errors"].values()) for run in runs),
        "cpu_cores": {
            name: round(float(np.mean([run["cpu_cores"][name] for run in runs])), 3) for name in runs[0]["cpu_cores"]
        },
    }


def read(runs: Sequence[Mapping[str, Any]], pages: int) -> dict[str, Any]:
    """What the open pages of all runs were sent, and how long `/matching` took."""
    counted = [run["pages"] for run in runs]
    failed = sum((Counter(one["errors"]) for one in counted), Counter[str]())
    took = np.concatenate([one["matching_ms"] for one in counted])
    return {
        "bytes_per_second_per_page": round(
            sum(one["bytes"] for one in counted) / sum(one["seconds"] for one in counted) / pages
        ),
        "matching_ms": _percentiles(took, 50, 95) if len(took) else None,
        "matching": len(took),
        "page_errors": dict(failed),
    }


def _percentiles(values: Any, *marks: int) -> dict[str, float]:
    found = np.percentile(values, marks)
    return {f"p{mark}": round(float(value), 1) for mark, value in zip(marks, found, strict=True)}


def _pid(settings: Settings, name: str) -> int:
    pid = Supervisor(settings).states()[name].pid
    if pid is None:
        raise PermanentError(f"the process {name} does not run")
    return pid
