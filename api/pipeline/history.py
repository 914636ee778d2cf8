"""The last hour: from looks at the pipeline to points of a chart. Pure, but for the counters of this process."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from api.clients import GUARDED
from api.models.pipeline import HistoryOut, PointOut
from freshet.contract import topics
from freshet.telemetry import metrics

STEP_S: Final = 10.0
KEPT: Final = 360
"""Points: an hour of them."""

MINUTE: Final = 6
"""Looks in a minute."""


@dataclass(frozen=True)
class Look:
    """What one look found. `clock_s` is monotonic; `counts` are records that each topic was ever given and errors ever
    counted; what could not be asked is not among them, or None."""

    at: datetime
    clock_s: float
    counts: Mapping[str, float] = field(default_factory=dict)
    lag_serve: int | None = None
    lag_indexer: int | None = None
    lag_lake: int | None = None
    searchable_per_second: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None


class History:
    """The points of the last hour."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=MINUTE + 1)
        self._points: deque[PointOut] = deque(maxlen=KEPT)

    @property
    def last(self) -> Look | None:
        """The newest look."""
        return self._looks[-1] if self._looks else None

    def add(self, look: Look) -> None:
        """One more; the oldest is forgotten."""
        before = self.last
        self._looks.append(look)
        self._points.append(point(look, before, self._looks[0]))

    def since(self, moment: datetime | None) -> HistoryOut:
        """The points after a moment, or all."""
        points = [one for one in self._points if moment is None or one.at > moment]
        return HistoryOut(
            recorded_since=self._points[0].at if self._points else None, step_seconds=STEP_S, points=points
        )


def point(look: Look, before: Look | None, minute_ago: Look) -> PointOut:
    """A look beside the one before it and the one a minute ago."""
    return PointOut(
        at=look.at,
        received_per_second=_rate(look, before, topics.RAW),
        silver_per_second=_rate(look, before, topics.SILVER),
        gold_per_second=_rate(look, before, topics.GOLD),
        rejected_per_minute=_more(look, minute_ago, topics.REJECTED),
        lag_serve=look.lag_serve,
        lag_indexer=look.lag_indexer,
        lag_lake=look.lag_lake,
        searchable_per_second=look.searchable_per_second,
        p50_ms=look.p50_ms,
        p95_ms=look.p95_ms,
        api_errors_per_minute=_more(look, minute_ago, ERRORS),
        model_failures_per_minute=_more(look, minute_ago, FAILURES),
    )


ERRORS: Final = "errors"
FAILURES: Final = "failures"


def counted() -> dict[str, float]:
    """Errors of this process so far."""
    requests = [sample for metric in metrics.REQUESTS.collect() for sample in metric.samples]
    failures = [sample for metric in metrics.MODEL_FAILURES.collect() for sample in metric.samples]
    return {
        ERRORS: sum(
            sample.value
            for sample in requests
            if sample.name.endswith("_count")
            and sample.labels["status"].startswith("5")
            and sample.labels["route"].startswith(GUARDED)
        ),
        FAILURES: sum(sample.value for sample in failures if sample.name.endswith("_total")),
    }


def _rate(look: Look, before: Look | None, name: str) -> float | None:
    if before is None or look.clock_s <= before.clock_s:
        return None
    more = _more(look, before, name)
    return None if more is None else round(more / (look.clock_s - before.clock_s), 3)


def _more(look: Look, before: Look, name: str) -> float | None:
    """How many more; None when one of them does not know, or a topic was made anew in between."""
    now, then = look.counts.get(name), before.counts.get(name)
    return now - then if now is not None and then is not None and now >= then else None
