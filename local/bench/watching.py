"""One open page in a real browser for a long time: what it and its server keep, and how busy they are."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from local.bench.loading import listen, until_usable
from local.bench.usage import tree_cpu_seconds
from local.browser import browser
from local.overview import tree_memory_mb

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

Say = Callable[[str], None]

EVERY_S: Final = 30.0
FEWEST: Final = 10
"""So many samples at least, however short it is."""

WARM_UP: Final = 2
"""The first samples do not count: the page is still filling."""

# counts what is drawn, and what the page says that it was not sent; keeps nothing of it
COUNT: Final = """() => {
  const seen = (window.benchSeen = { edits: 0, skipped: 0 });
  const count = (line) => {
    if (line.matches?.(".edit")) seen.edits += 1;
    if (line.matches?.(".gap")) seen.skipped += Number(line.textContent.replace(/\\D/g, ""));
  };
  const observer = new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(count)));
  observer.observe(document.querySelector("live-feed .edits"), { childList: true });
}"""


@dataclass(frozen=True)
class Reading:
    """Counters at one moment: seconds since the beginning of each process, and what was shown."""

    at_s: float
    thread_s: float
    tasks_s: float
    scripts_s: float
    renderer_s: float
    ui_s: float
    edits: int
    skipped: int


@dataclass(frozen=True)
class Sample:
    """What is kept after a forced collection, MB and counts, and what the time before it took, cores: `main_thread_cpu`
    of the page's main thread, the others of whole processes. `main_thread_busy` and `scripts_busy` are the shares of
    that time in which the main thread had a task or a script, by the clock: on a busy machine more than the CPU.
    `edits` and `skipped` are those since the beginning, `seconds` ago."""

    seconds: float
    heap_mb: float
    nodes: float
    documents: float
    listeners: float
    renderer_mb: float
    ui_mb: float
    main_thread_cpu: float
    main_thread_busy: float
    scripts_busy: float
    renderer_cpu: float
    ui_cpu: float
    edits: int
    skipped: int


def measure(url: str, ui_pid: int, minutes: float, errors: Counter[str], say: Say) -> dict[str, Any]:
    """Keep a page open for so long; what `summary` makes of the samples."""
    with browser() as opened:
        page = opened.new_context().new_page()
        listen(page, errors)
        until_usable(page, url)
        page.evaluate(COUNT)
        watched = Watched(opened, page, ui_pid)
        samples: list[Sample] = []
        first = last = watched.reading()
        many = max(FEWEST, round(60 * minutes / EVERY_S))
        for number in range(1, many + 1):
            due = first.at_s + 60 * minutes * number / many
            # not time.sleep: what the page says is heard meanwhile
            page.wait_for_timeout(1000 * max(0.0, due - time.monotonic()))
            samples.append(watched.sample(first, last))
            last = watched.reading()
            say(_line(samples[-1]))
    return summary(samples)


class Watched:
    """The page's and its server's counters."""

    def __init__(self, opened: "Browser", page: "Page", ui_pid: int) -> None:
        self._page = page
        self._ui_pid = ui_pid
        self._page_session: CDPSession = page.context.new_cdp_session(page)
        self._page_session.send("Performance.enable")
        processes = opened.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        # a browser keeps empty renderers ready; the page's is the one that has worked
        renderers = [process for process in processes if process["type"] == "renderer"]
        self._renderer_pid = int(max(renderers, key=lambda process: float(process["cpuTime"]))["id"])

    def reading(self) -> Reading:
        """The counters now."""
        metrics, seen = self._metrics(), self._page.evaluate("benchSeen")
        return Reading(
            time.monotonic(),
            metrics["ThreadTime"],
            metrics["TaskDuration"],
            metrics["ScriptDuration"],
            tree_cpu_seconds(self._renderer_pid),
            tree_cpu_seconds(self._ui_pid),
            seen["edits"],
            seen["skipped"],
        )

    def sample(self, first: Reading, before: Reading) -> Sample:
        """What the time since `before` took, and what is kept; what the collection takes is in no sample."""
        now = self.reading()
        seconds = now.at_s - before.at_s
        self._page_session.send("HeapProfiler.collectGarbage")
        metrics = self._metrics()
        return Sample(
            seconds=now.at_s - first.at_s,
            heap_mb=metrics["JSHeapUsedSize"] / 1e6,
            nodes=metrics["Nodes"],
            documents=metrics["Documents"],
            listeners=metrics["JSEventListeners"],
            renderer_mb=tree_memory_mb(self._renderer_pid) or 0.0,
            ui_mb=tree_memory_mb(self._ui_pid) or 0.0,
            main_thread_cpu=(now.thread_s - before.thread_s) / seconds,
            main_thread_busy=(now.tasks_s - before.tasks_s) / seconds,
            scripts_busy=(now.scripts_s - before.scripts_s) / seconds,
            renderer_cpu=(now.renderer_s - before.renderer_s) / seconds,
            ui_cpu=(now.ui_s - before.ui_s) / seconds,
            edits=now.edits - first.edits,
            skipped=now.skipped - first.skipped,
        )

    def _metrics(self) -> dict[str, float]:
        return {row["name"]: row["value"] for row in self._page_session.send("Performance.getMetrics")["metrics"]}


def summary(samples: Sequence[Sample]) -> dict[str, Any]:
    """First, last and trend of what is kept, and the first and the last third of what it took, after the warm-up."""
    kept, last = samples[WARM_UP:], samples[-1]
    seconds = [sample.seconds for sample in kept]

    def values(name: str) -> list[float]:
        return [getattr(sample, name) for sample in kept]

    return {
        "minutes": round(last.seconds / 60, 1),
        "samples": len(kept),
        **{name: trend(seconds, values(name), "slope_mb_per_hour") for name in ("heap_mb", "renderer_mb", "ui_mb")},
        **{name: trend(seconds, values(name), "slope_per_hour") for name in ("nodes", "documents", "listeners")},
        **{
            name: thirds(values(name))
            for name in ("main_thread_cpu", "main_thread_busy", "scripts_busy", "renderer_cpu", "ui_cpu")
        },
        "edits": last.edits,
        "edits_per_second": round(last.edits / last.seconds, 1),
        "skipped": last.skipped,
    }


def trend(seconds: Sequence[float], values: Sequence[float], slope: str) -> dict[str, float | None]:
    """The first value, the last, and under the name `slope` that of the line with the least squares, for an hour."""
    return {"first": round(values[0], 2), "last": round(values[-1], 2), slope: slope_per_hour(seconds, values)}


def slope_per_hour(seconds: Sequence[float], values: Sequence[float]) -> float | None:
    """None for less than two moments."""
    if len(values) < 2:
        return None
    # + 0.0: no slope is not a negative one
    return round(float(np.polyfit(np.array(seconds) / 3600, values, 1)[0]), 2) + 0.0


def thirds(values: Sequence[float]) -> dict[str, float | None]:
    """Means of the first and of the last third, and how many times the first the last is: None when that is nothing."""
    many = max(1, len(values) // 3)
    first, last = float(np.mean(values[:many])), float(np.mean(values[-many:]))
    return {
        "first_third": round(first, 4),
        "last_third": round(last, 4),
        "ratio": round(last / first, 3) if first else None,
    }


def _line(sample: Sample) -> str:
    return (
        f"{sample.seconds:.0f} s: heap {sample.heap_mb:.1f} MB, {sample.nodes:.0f} nodes, {sample.listeners:.0f} "
        f"listeners, renderer {sample.renderer_mb:.0f} MB, ui {sample.ui_mb:.0f} MB, main thread "
        f"{sample.main_thread_cpu:.1%}, {sample.edits:,} edits, {sample.skipped:,} skipped"
    )
