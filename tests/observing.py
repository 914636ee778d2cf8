"""What Prometheus knows of a running stack, and what Alertmanager has told."""

import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import yaml
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from freshet.store import busy
from monitoring.grafana.expressions import MAY_BE_EMPTY, expressions
from tests.receiver import Receiver
from tests.stacks import Stack, eventually

SELECTOR = re.compile(r"\b[a-z_:][a-zA-Z0-9_:]*(?:\{[^}]*\})?")
WORDS = frozenset(
    "and or unless on ignoring group_left group_right by without sum rate increase max min avg count changes deriv"
    " delta absent vector time bool offset histogram_quantile predict_linear clamp_max clamp_min max_over_time"
    " min_over_time avg_over_time label_replace topk le abs scalar job stage group topic query target dag_id layer"
    " route status component severity instance partition reason part check idelta quantile ceil floor round"
    " present_over_time absent_over_time last_over_time sum_over_time count_over_time irate resets inf nan".split()
)

ONLY_AFTER_A_FAULT = {
    "freshet_api_model_failures_total": "a model that answers has no failure to count",
    "freshet_producer_resume_gap": "the stream has all that is asked for",
    "freshet_spark_lost_records_total": "the log keeps more than the tests write",
    "freshet_rejected_total": "of a stage that has rejected nothing there is no count",
    "freshet_api_answers_degraded_total": "answers lack nothing",
    'status=~"5..': "no request fails",
}
"""What an alert reads that is only there once something has failed, by a part of the selector; and why."""

AIRFLOW = "airflow"
"""Stands in the name or a label of all that the exporter asks of Airflow."""

GRAFANA = {"$__rate_interval": "15s", "$__interval": "15s", "$__range": "1m"}
"""What Grafana puts for its own variables."""


@dataclass
class Prometheus:
    """Asked over HTTP."""

    stack: Stack
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=20))

    def query(self, expression: str) -> list[dict[str, Any]]:
        address = f"http://127.0.0.1:{self.stack.settings.prometheus_port}/api/v1/query"
        answer = self.http.post(address, data={"query": expression})
        assert answer.is_success, f"{expression}: {answer.text}"
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def value(self, expression: str) -> float | None:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def is_empty(self, expression: str) -> bool:
        return not self.query(expression)


def rules(stack: Stack) -> Iterator[dict[str, Any]]:
    """Those that the stack's Prometheus has, with the drill's short windows."""
    for file in sorted((stack.settings.state_dir / "prometheus" / "rules").glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def selectors(expression: str) -> set[str]:
    """The series that an expression reads: an alert that is silent gives nothing, what it reads must be there."""
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", expression)
    found = SELECTOR.findall(bare)
    return {one for one in found if one.partition("{")[0] not in WORDS and re.match(r"[a-z_]{2,}.*[_:].*|up", one)}


def empty(prometheus: Prometheus, of: Callable[[str], bool]) -> dict[str, str]:
    """Where dashboards and rules read something of which there is nothing, though there should be."""
    wanted = {text: f"{board}: {panel}" for board, panel, text in expressions() if text not in MAY_BE_EMPTY}
    for rule in rules(prometheus.stack):
        read = {one for one in selectors(rule["expr"]) if not any(part in one for part in ONLY_AFTER_A_FAULT)}
        wanted |= dict.fromkeys(read | {rule["record"]} if "record" in rule else read, str(rule))
    return {text: where for text, where in wanted.items() if of(text) and prometheus.is_empty(filled(text))}


def filled(text: str) -> str:
    """An expression of a dashboard as Grafana sends it."""
    for name, value in GRAFANA.items():
        text = text.replace(name, value)
    return text


def ask(live: Stack) -> dict[str, Any]:
    """Search and ask about a page that has edits. Returns the answer."""
    with psycopg.connect(live.settings.conninfo) as store:
        title = busy.busiest(store, language="es")
    url = f"http://127.0.0.1:{live.settings.api_port}"
    httpx.post(f"{url}/v1/search", json={"query": str(title)}, timeout=30, trust_env=False)
    answer = httpx.post(f"{url}/v1/ask", json={"question": f"What changes about {title}?"}, timeout=60, trust_env=False)
    return dict(answer.json())


def left_over(missing: Callable[[], Collection[str]], seconds: float = 120) -> Collection[str]:
    """What is still missing when nothing is any more, or the time is over."""
    patiently = Retrying(
        retry=retry_if_result(bool),
        wait=wait_fixed(3),
        stop=stop_after_delay(seconds),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    left: Collection[str] = patiently(missing)
    return left


@dataclass
class Alerts:
    """What the webhook was told by Alertmanager."""

    receiver: Receiver

    def told(self, alert: str, status: str, since: datetime) -> bool:
        """Whether it heard that the alert fires, or is resolved, of one that began since."""
        return any(
            one["status"] == status
            and one["labels"]["alertname"] == alert
            and datetime.fromisoformat(one["startsAt"]) >= since
            for body in list(self.receiver.bodies)
            if "alerts" in body
            for one in body["alerts"]
        )


@dataclass(frozen=True)
class Drill:
    """A fault that was made and mended, and how long its alert took to fire and to be resolved, s."""

    fault: str
    alert: str
    fired_s: float
    resolved_s: float


def drill(
    alerts: Alerts,
    fault: str,
    expected: Collection[str],
    make: Callable[[], None],
    mend: Callable[[], None],
    meanwhile: Callable[[], object] = lambda: None,
) -> list[Drill]:
    """Make a fault, wait until its alerts are told, mend it, and wait until they are told to be resolved."""
    since, began = datetime.now(UTC), time.monotonic()
    make()
    try:
        fired = _until(alerts, expected, "firing", since, began, meanwhile)
    finally:
        mend()
    mended = time.monotonic()
    resolved = _until(alerts, expected, "resolved", since, mended, meanwhile)
    return [Drill(fault, name, fired[name], resolved[name]) for name in expected]


def _until(
    alerts: Alerts,
    expected: Collection[str],
    status: str,
    since: datetime,
    began: float,
    meanwhile: Callable[[], object],
) -> dict[str, float]:
    took: dict[str, float] = {}

    def all_told() -> bool:
        meanwhile()
        for name in expected:
            if name not in took and alerts.told(name, status, since):
                took[name] = time.monotonic() - began
        return len(took) == len(expected)

    eventually(all_told, 180)
    return took
