"""What it costs to be measured: of counting in the processes, of scraping them, and of those that watch."""

import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import numpy as np
from prometheus_client import CollectorRegistry, Counter, Histogram

from freshet.settings import Settings
from freshet.telemetry.metrics import FRESHNESS_BUCKETS
from local import stack
from local.bench.usage import Usage, tree_cpu_seconds
from local.supervisor import Supervisor

UPDATES: Final = 100_000
SCRAPES: Final = 20
USUAL_S: Final = 15
"""How often Prometheus scrapes by default."""

PER_EVENT: Final = 21
"""Updates that an edit causes at most: four in the producer, one in the exporter, and as a document that is a batch of
its own sixteen in the indexer. Spark's are by batch."""

WATCHERS: Final = ("exporter", "prometheus", "alertmanager")


def measure(settings: Settings, rate: float, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Of a running stack. Times in ns and ms, CPU in cores, memory in MB."""
    control = Supervisor(settings)
    updates = {"counter_ns": _counter_ns(), "histogram_ns": _histogram_ns()}
    say(f"what watches, for {seconds:g} s")
    with Usage(control) as usage:
        time.sleep(seconds)
    everything = sum(usage.cpu_seconds.values())
    watching = {
        name: {"cores": round(usage.cpu_seconds[name] / seconds, 4), "memory_mb": usage.peak_memory_mb.get(name)}
        for name in WATCHERS
        if name in usage.cpu_seconds
    }
    say(f"each page {SCRAPES} times")
    pages = {
        name: _scraped(control, name, ports[0])
        for name, ports in stack.scraped(settings).items()
        if name not in WATCHERS
    }
    counting = max(updates.values()) * PER_EVENT * rate / 1e9
    return {
        "update": updates,
        "counting_cores": round(counting, 6),
        "scrape": pages,
        "scraping_cores": round(sum(page["cpu_ms"] for page in pages.values()) / 1000 / USUAL_S, 5),
        "watching": watching,
        "watching_share_of_all_cpu": round(sum(usage.cpu_seconds.get(name, 0.0) for name in WATCHERS) / everything, 3),
        "events_per_second": rate,
        "scraped_every_s": USUAL_S,
    }


def _counter_ns() -> float:
    counter = Counter("bench", "", ["one", "two"], registry=CollectorRegistry())
    return _ns(lambda: counter.labels("a", "b").inc())


def _histogram_ns() -> float:
    histogram = Histogram("bench", "", ["one"], buckets=FRESHNESS_BUCKETS, registry=CollectorRegistry())
    return _ns(lambda: histogram.labels("a").observe(0.1))


def _ns(update: Callable[[], None]) -> float:
    began = time.perf_counter_ns()
    for _ in range(UPDATES):
        update()
    return round((time.perf_counter_ns() - began) / UPDATES, 1)


def _scraped(control: Supervisor, name: str, port: int) -> dict[str, Any]:
    pid, took = control.states()[name].pid or 0, []
    page = ""
    with httpx.Client(trust_env=False, timeout=20) as http:
        for _ in range(SCRAPES):
            began = time.perf_counter()
            page = http.get(f"http://127.0.0.1:{port}/metrics").text
            took.append((time.perf_counter() - began) * 1000)
        before = tree_cpu_seconds(pid)
        for _ in range(SCRAPES):
            http.get(f"http://127.0.0.1:{port}/metrics")
        # what the process does besides in that time is in it as well
        cpu_ms = (tree_cpu_seconds(pid) - before) * 1000 / SCRAPES
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    return {
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p99_ms": round(float(p99), 2),
        "cpu_ms": round(cpu_ms, 2),
        "series": sum(not line.startswith("#") for line in page.splitlines()),
        "bytes": len(page),
    }
