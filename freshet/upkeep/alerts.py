"""Tells those who should know that a breach has begun or ended: a webhook once of each, Alertmanager again and again.

Whoever could not be reached is tried again at the next check. A breach that ends before a channel could be told that it
began is not told there any more: the log and the table of breaches have it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import httpx

from freshet.settings import Settings
from freshet.store.sla import Breach
from freshet.telemetry import logs
from freshet.upkeep.breaches import Step

WEBHOOK: Final = "webhook"
ALERTMANAGER: Final = "alertmanager"

HOLD: Final = timedelta(minutes=15)
"""Alertmanager takes a breach for over so long after it was last told that it lasts; and is told so long that it is
over, in case it was started anew in between."""


def log(step: Step) -> None:
    """Say in the log what has changed."""
    for one in step.begun:
        logs.get().error("a breach has begun", **_words(one))
    for one in step.ended:
        logs.get().warning("a breach has ended", **_words(one))


def tell(breaches: Sequence[Breach], settings: Settings, now: datetime) -> tuple[list[Breach], dict[str, str]]:
    """Tell the channels what they should know. Returns the breaches with who was told, and each channel's outcome."""
    outcomes: dict[str, str] = {}
    told, timeout_s = list(breaches), settings.alert_timeout_s
    if url := settings.alert_webhook_url.get_secret_value():
        told, outcomes[WEBHOOK] = _tell_webhook(url, told, timeout_s)
    if settings.alertmanager_url:
        told, outcomes[ALERTMANAGER] = _tell_alertmanager(settings.alertmanager_url, told, now, timeout_s)
    for channel, outcome in outcomes.items():
        if outcome != "ok":
            logs.get().warning(
                "a channel could not be told; it is tried at the next check", channel=channel, why=outcome
            )
    return [_without_leavers(one, outcomes.keys()) for one in told], outcomes


def tell_failure(settings: Settings, dag_id: str, run_id: str, task_id: str, reason: str) -> None:
    """Say in the log and to the channels that a task of a DAG has failed for good, once."""
    what = {"dag": dag_id, "run": run_id, "task": task_id}
    logs.get().error("a task has failed", **what, reason=reason)
    _tell_once(settings, "failed", "FreshetTaskFailed", what, f"{dag_id}: {task_id} failed: {reason}", reason)


def tell_overdue(settings: Settings, dag_id: str, run_id: str, reason: str) -> None:
    """Say in the log and to the channels that a run of a DAG has passed its deadline and goes on, once."""
    what = {"dag": dag_id, "run": run_id}
    logs.get().error("a run is overdue", **what, reason=reason)
    _tell_once(settings, "overdue", "FreshetRunOverdue", what, f"{dag_id}: {run_id} is overdue: {reason}", reason)


def _tell_once(
    settings: Settings, event: str, alertname: str, what: Mapping[str, str], summary: str, detail: str
) -> None:
    if url := settings.alert_webhook_url.get_secret_value():
        key = {"Idempotency-Key": "-".join((*what.values(), event))}
        _heard(WEBHOOK, _post(url, {"event": event, **what, "detail": detail}, settings.alert_timeout_s, key))
    if url := settings.alertmanager_url:
        labels = {"alertname": alertname, "service": "freshet", **what}
        alert = {"labels": labels, "annotations": {"summary": summary}}
        _heard(ALERTMANAGER, _post(f"{url.rstrip('/')}/api/v2/alerts", [alert], settings.alert_timeout_s))


def _heard(channel: str, outcome: str) -> None:
    if outcome != "ok":
        logs.get().warning("a channel could not be told", channel=channel, why=outcome)


def _tell_webhook(url: str, breaches: Sequence[Breach], timeout_s: float) -> tuple[list[Breach], str]:
    told, outcome = [], "ok"
    for one in breaches:
        event = _due(one, WEBHOOK)
        if event and outcome == "ok":
            body = {"event": event, **_words(one)}
            outcome = _post(url, body, timeout_s, {"Idempotency-Key": f"{one.breach_id}-{event}"})
            told.append(_noted(one, WEBHOOK, event) if outcome == "ok" else one)
        else:
            told.append(one)
    return told, outcome


def _tell_alertmanager(
    url: str, breaches: Sequence[Breach], now: datetime, timeout_s: float
) -> tuple[list[Breach], str]:
    due = [one for one in breaches if _due(one, ALERTMANAGER) or _lately(one, now)]
    if not due:
        return list(breaches), "ok"
    outcome = _post(f"{url.rstrip('/')}/api/v2/alerts", [_alert(one, now) for one in due], timeout_s)
    if outcome != "ok":
        return list(breaches), outcome
    ids = {one.breach_id for one in due}
    return [
        _noted(one, ALERTMANAGER, "ended" if one.ended_at else "begun") if one.breach_id in ids else one
        for one in breaches
    ], "ok"


def _due(one: Breach, channel: str) -> str | None:
    """What a channel does not know yet and should: begun or ended, if anything."""
    if one.ended_at is None:
        return None if channel in one.told_begin else "begun"
    return "ended" if channel in one.told_begin and channel not in one.told_end else None


def _lately(one: Breach, now: datetime) -> bool:
    """Whether Alertmanager is told again: of what lasts, and for a while of what is over."""
    if one.ended_at is None:
        return True
    return ALERTMANAGER in one.told_begin and one.ended_at > now - HOLD


def _noted(one: Breach, channel: str, event: str) -> Breach:
    if event == "begun":
        return replace(one, told_begin=sorted({*one.told_begin, channel}))
    return replace(one, told_end=sorted({*one.told_end, channel}))


def _without_leavers(one: Breach, channels: Collection[str]) -> Breach:
    """Nobody waits for the end of a breach at a channel that is no longer there."""
    leavers = [channel for channel in one.told_begin if channel not in channels] if one.ended_at else []
    return replace(one, told_end=sorted({*one.told_end, *leavers}))


def _post(url: str, body: Any, timeout_s: float, headers: Mapping[str, str] = MappingProxyType({})) -> str:
    """ok, or why not; without the address, which may hold a secret."""
    try:
        httpx.post(url, json=body, headers=headers, timeout=timeout_s).raise_for_status()
    except httpx.HTTPStatusError as error:
        return f"it answered {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    return "ok"


def _words(one: Breach) -> dict[str, Any]:
    """A breach as JSON has it."""
    return {
        "breach_id": str(one.breach_id),
        "check": one.name,
        "begun_at": one.begun_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        "value": one.value,
        "unit": one.unit,
        "threshold": one.threshold,
        "detail": one.detail,
    }


def _alert(one: Breach, now: datetime) -> dict[str, Any]:
    """As Alertmanager has it: the labels are what it knows an alert by, so nothing in them may change."""
    limit = f" (at most {one.threshold:g} {one.unit})" if one.threshold is not None else ""
    value = f"{one.value:g} {one.unit}{limit}: " if one.value is not None else ""
    return {
        "labels": {"alertname": "FreshetSlaBreach", "service": "freshet", "check": one.name},
        "annotations": {"summary": f"{one.name}: {value}{one.detail}", "breach_id": str(one.breach_id)},
        "startsAt": one.begun_at.isoformat(),
        "endsAt": (one.ended_at or now + HOLD).isoformat(),
    }
