"""What the memory of a process consists of: what it keeps, and what it was given and may use again."""

from collections.abc import Mapping
from typing import Final

import httpx

from freshet.settings import Settings
from freshet.telemetry import metrics
from local import scraping
from local.overview import tree_memory_mb

TIMEOUT_S: Final = 20.0


def parts_mb(settings: Settings, pids: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """By process and part, MB: of each Spark query its heap after the last collections and what its JVM has outside of
    the heap; of Postgres what its processes do not share, so without its buffers.

    A query that does not answer has none.
    """
    pages = {"serve": settings.serve_metrics_port, "lake": settings.lake_metrics_port}
    found = {name: _of_jvm(port) for name, port in pages.items() if name in pids}
    own = tree_memory_mb(pids["postgres"], shared=False) if "postgres" in pids else None
    return {**found, **({"postgres": {"not shared": own}} if own is not None else {})}


def jvm_parts_mb(page: str) -> dict[str, float]:
    """The parts of a JVM, by its process' page of metrics."""
    after, outside = 0.0, 0.0
    for sample in scraping.samples(page):
        if sample.name == metrics.JVM_AFTER_GC[0]:
            after += sample.value
        elif sample.name == metrics.JVM_MEMORY[0] and sample.labels["area"] == "nonheap":
            outside += sample.value
    return {"heap after a collection": after / 1e6, "outside the heap": outside / 1e6}


def _of_jvm(port: int) -> dict[str, float]:
    try:
        return jvm_parts_mb(scraping.page(port, TIMEOUT_S))
    except httpx.HTTPError:
        return {}
