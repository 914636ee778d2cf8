"""What it takes until an edit is found by what its page is about, and what that costs the stream."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import psycopg
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store import context_share
from local import scraping
from local.bench import freshness
from local.supervisor import Supervisor

Say = Callable[[str], None]

PROCESS: Final = "context"
KNOWN_TIMEOUT_S: Final = 600


def measure(settings: Settings, minutes: float, seconds: float, latency_ms: int, say: Say) -> dict[str, Any]:
    """Freshness in a window of `seconds` without `context`; then, after `minutes` with it, in another one. The stand-in
    for Wikidata takes `latency_ms` to answer.

    `context_ms` are percentiles from received to found by the page, over all that came since it was started, `shares`
    those of the documents of the last window. In a stack that holds the process back.
    """
    slow = {"delay_s": latency_ms / 1000}
    httpx.get(f"http://127.0.0.1:{settings.wikidata_port}/-/fault", params=slow, trust_env=False).raise_for_status()
    without = freshness.measure(settings, seconds, say)
    say(f"context begins, and is let work for {minutes:g} minutes")
    since = datetime.now(UTC)
    Supervisor(settings).start(PROCESS)
    time.sleep(minutes * 60)
    last = datetime.now(UTC)
    with_it = freshness.window(settings, seconds, say)
    until = datetime.now(UTC)
    with psycopg.connect(settings.conninfo) as connection:
        whole = context_share.share(connection, since, until)
        late = context_share.share(connection, last, until)
    return {
        **compared(without, with_it),
        "context_ms": {"p50": whole.p50, "p95": whole.p95, "p99": whole.p99, "count": whole.found_by_page},
        "shares": {
            "answered": round(late.answered / max(1, late.documents), 3),
            "found_by_page": round(late.found_by_page / max(1, late.documents), 3),
            "documents": late.documents,
        },
        **asked(settings, (until - since).total_seconds()),
    }


def compared(without: Mapping[str, Any], during: Mapping[str, Any]) -> dict[str, Any]:
    """Freshness beside that without context: `ratio` is how many times as long it took."""
    name, marks = "received_to_searchable_ms", ("p50", "p95", "p99")
    return {
        name: during[name],
        "without_context_ms": without[name],
        "ratio": {mark: round(during[name][mark] / without[name][mark], 2) for mark in marks},
        "events_per_second": during["events_per_second"],
        "cpu_cores": during["cpu_cores"],
        "memory_mb": during["peak_memory_mb"].get(PROCESS),
    }


def until_known(connection: psycopg.Connection, say: Say) -> None:
    """Wait until every document's page was asked about, and what was said has its vectors. Raises PermanentError."""

    def left() -> int:
        count = context_share.unfinished(connection)
        say(f"{count:,} documents wait for what their page is about")
        return count

    try:
        Retrying(retry=retry_if_result(bool), wait=wait_fixed(1), stop=stop_after_delay(KNOWN_TIMEOUT_S))(left)
    except RetryError as error:
        raise PermanentError(f"of some documents nothing is known of their page after {KNOWN_TIMEOUT_S} s") from error


def asked(settings: Settings, seconds: float) -> dict[str, Any]:
    """What the process itself counted since its start: requests, and how many edits' pages were known already."""
    counted: dict[str, dict[str, float]] = {}
    for sample in scraping.samples(scraping.page(settings.context_metrics_port, 20)):
        counted.setdefault(sample.name, {})[",".join(sample.labels.values())] = sample.value
    requests = counted.get("freshet_context_requests_total", {})
    lookups = counted.get("freshet_context_lookups_total", {})
    return {
        "requests": {name: round(count) for name, count in requests.items()},
        "requests_per_minute": round(sum(requests.values()) / seconds * 60, 2),
        "hit_rate": round(lookups.get("known", 0) / max(1, sum(lookups.values())), 3),
    }
