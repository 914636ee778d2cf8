"""Alerts over real connections: once when a breach begins, once when it ends, and again only where that failed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from freshet.settings import Settings, load_settings
from freshet.store.sla import Breach, Check
from freshet.upkeep import ledger
from freshet.upkeep.alerts import HOLD, tell, tell_failure, tell_overdue
from freshet.upkeep.breaches import step
from freshet.upkeep.ledger import Left
from local.ports import find_free
from tests.documents import NOON
from tests.receiver import Receiver
from tests.serving import listening

BAD = [Check("indexer_lag", "breach", 90.0, "s", 60.0, "9 gold records wait for the indexer")]
GOOD = [Check("indexer_lag", "ok", 0.0, "s", 60.0, "the indexer has done all")]
CHECK_EVERY = timedelta(minutes=2)


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    app = Receiver()
    with listening(app) as (_, address):
        yield app, address


@pytest.fixture
def webhook(receiver: tuple[Receiver, str]) -> tuple[Receiver, Settings]:
    app, address = receiver
    return app, load_settings(alert_webhook_url=SecretStr(f"{address}/hook"))


@pytest.fixture
def alertmanager(receiver: tuple[Receiver, str]) -> tuple[Receiver, Settings]:
    app, address = receiver
    return app, load_settings(alertmanager_url=address)


class Story:
    """Checks every two minutes; what is remembered between them went through JSON."""

    def __init__(self, settings: Settings, file: Path) -> None:
        self.settings, self.file, self.now = settings, file, NOON

    def check(self, found: list[Check]) -> dict[str, str]:
        made = step(ledger.read(self.file).breaches, found, self.now)
        told, outcomes = tell(made.all, self.settings, self.now)
        ledger.write(self.file, Left(told, kept=True))
        self.now += CHECK_EVERY
        return outcomes


def test_a_webhook_is_told_once_that_a_breach_began_and_once_that_it_ended(
    webhook: tuple[Receiver, Settings], tmp_path: Path
) -> None:
    app, settings = webhook
    story = Story(settings, tmp_path / "breaches.json")
    for found in (GOOD, BAD, BAD, BAD, GOOD, GOOD, GOOD):
        assert story.check(found) == {"webhook": "ok"}
    assert [(body["event"], body["check"], body["value"]) for body in app.bodies] == [
        ("begun", "indexer_lag", 90.0), ("ended", "indexer_lag", 90.0)
    ]  # fmt: skip
    begun, ended = app.bodies
    assert begun["breach_id"] == ended["breach_id"]
    assert begun["ended_at"] is None
    assert datetime.fromisoformat(ended["ended_at"]) - datetime.fromisoformat(ended["begun_at"]) == 3 * CHECK_EVERY
    keys = [headers["idempotency-key"] for headers in app.headers]
    assert keys == [f"{begun['breach_id']}-begun", f"{begun['breach_id']}-ended"]


def test_who_refused_is_told_at_the_next_check_under_the_same_key(
    webhook: tuple[Receiver, Settings], tmp_path: Path
) -> None:
    app, settings = webhook
    story = Story(settings, tmp_path / "breaches.json")
    app.status = 503
    assert story.check(BAD) == {"webhook": "it answered 503"}
    app.status = 200
    for found in (BAD, BAD):
        story.check(found)
    app.status = 500
    story.check(GOOD)
    app.status = 200
    for found in (GOOD, GOOD):
        story.check(found)
    assert [body["event"] for body in app.bodies] == ["begun", "begun", "ended", "ended"]
    keys = [headers["idempotency-key"] for headers in app.headers]
    assert len(set(keys)) == 2


def test_a_receiver_that_is_not_there_is_no_error_and_its_address_is_not_told(tmp_path: Path) -> None:
    (port,) = find_free(1)
    settings = load_settings(alert_webhook_url=SecretStr(f"http://127.0.0.1:{port}/secret"), alert_timeout_s=1)
    assert Story(settings, tmp_path / "b.json").check(BAD) == {"webhook": "ConnectError"}


@pytest.mark.parametrize("address", ["http://host:x/", "http://[::1"])
def test_an_address_that_cannot_be_is_no_error_either(address: str, tmp_path: Path) -> None:
    settings = load_settings(alert_webhook_url=SecretStr(address))
    assert Story(settings, tmp_path / "b.json").check(BAD)["webhook"] != "ok"


def test_a_receiver_that_stalls_is_given_up_in_time(webhook: tuple[Receiver, Settings], tmp_path: Path) -> None:
    app, settings = webhook
    app.delay_s = 3
    quick = settings.model_copy(update={"alert_timeout_s": 0.3})
    assert Story(quick, tmp_path / "b.json").check(BAD) == {"webhook": "ReadTimeout"}


def test_a_breach_that_ended_before_anybody_could_be_told_is_not_told(
    webhook: tuple[Receiver, Settings], tmp_path: Path
) -> None:
    app, settings = webhook
    story = Story(settings, tmp_path / "b.json")
    app.status = 503
    story.check(BAD)
    app.status = 200
    story.check(GOOD)
    assert [body["event"] for body in app.bodies] == ["begun"]


def test_alertmanager_is_told_at_every_check_that_a_breach_lasts_and_for_a_while_that_it_is_over(
    alertmanager: tuple[Receiver, Settings], tmp_path: Path
) -> None:
    app, settings = alertmanager
    story = Story(settings, tmp_path / "b.json")
    for found in (GOOD, BAD, BAD, *[GOOD] * 20):
        assert story.check(found) == {"alertmanager": "ok"}
    assert {path for path in app.paths} == {"/api/v2/alerts"}
    alerts = [alert for body in app.bodies for alert in body]
    assert {json.dumps(alert["labels"]) for alert in alerts} == {json.dumps(alerts[0]["labels"])}
    assert {alert["startsAt"] for alert in alerts} == {(NOON + CHECK_EVERY).isoformat()}
    ends = [datetime.fromisoformat(alert["endsAt"]) for alert in alerts]
    begun, over = NOON + CHECK_EVERY, NOON + 3 * CHECK_EVERY
    assert ends[:2] == [begun + HOLD, begun + CHECK_EVERY + HOLD]
    assert set(ends[2:]) == {over}
    assert 2 <= len(ends[2:]) <= HOLD / CHECK_EVERY + 1


def test_alertmanager_that_was_away_at_the_end_is_told_later(
    alertmanager: tuple[Receiver, Settings], tmp_path: Path
) -> None:
    app, settings = alertmanager
    story = Story(settings, tmp_path / "b.json")
    story.check(BAD)
    app.status = 502
    for _ in range(20):
        story.check(GOOD)
    app.status = 200
    refused = len(app.bodies)
    story.check(GOOD)
    assert len(app.bodies) == refused + 1
    story.check(GOOD)
    assert len(app.bodies) == refused + 1


def test_nobody_waits_for_a_channel_that_was_taken_away(webhook: tuple[Receiver, Settings]) -> None:
    _, settings = webhook
    begun, _ = tell(step([], BAD, NOON).all, settings, NOON)
    over = step(begun, GOOD, NOON + CHECK_EVERY)
    told, outcomes = tell(over.all, load_settings(), NOON + CHECK_EVERY)
    assert outcomes == {}
    assert list(told[0].told_end) == ["webhook"]


def breach(**given: Any) -> Breach:
    (made,) = step([], BAD, NOON).begun
    return replace(made, **given)


def test_what_postgres_and_the_file_know_of_a_breach_is_put_together() -> None:
    stored = breach(told_begin=["webhook"])
    left = replace(stored, ended_at=NOON + CHECK_EVERY, told_begin=["alertmanager"])
    other = breach()
    merged = ledger.merge([stored], [left, other])
    assert {one.breach_id for one in merged} == {stored.breach_id, other.breach_id}
    (both,) = [one for one in merged if one.breach_id == stored.breach_id]
    assert (both.ended_at, both.told_begin) == (left.ended_at, ["alertmanager", "webhook"])


def test_a_file_that_postgres_has_already_is_not_given_to_it_again(tmp_path: Path) -> None:
    file = tmp_path / "upkeep" / "b.json"
    ledger.write(file, Left([breach()], kept=True))
    assert ledger.read(file).unkept == ()
    ledger.write(file, Left([breach()], kept=False))
    assert len(ledger.read(file).unkept) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kept": true}', '{"kept": true, "breaches": [{}]}', "\x00"])
def test_a_file_that_is_broken_is_as_none(text: str, tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    file.write_text(text)
    assert list(ledger.read(file).breaches) == []


def test_a_task_that_failed_and_a_run_that_is_overdue_are_told_with_what_they_are_of(
    receiver: tuple[Receiver, str],
) -> None:
    app, address = receiver
    settings = load_settings(alert_webhook_url=SecretStr(f"{address}/hook"), alertmanager_url=address)
    tell_failure(settings, "replay_offsets", "run-1", "replay", "killed")
    tell_overdue(settings, "replay_offsets", "run-1", "it goes on after 7200 s")
    failed, failed_alert, overdue, overdue_alert = app.bodies
    run = {"dag": "replay_offsets", "run": "run-1"}
    assert failed == {"event": "failed", **run, "task": "replay", "detail": "killed"}
    assert overdue == {"event": "overdue", **run, "detail": "it goes on after 7200 s"}
    named = {"service": "freshet", **run}
    assert failed_alert[0]["labels"] == {"alertname": "FreshetTaskFailed", "task": "replay", **named}
    assert overdue_alert[0]["labels"] == {"alertname": "FreshetRunOverdue", **named}
    keys = [headers["idempotency-key"] for headers in app.headers if "idempotency-key" in headers]
    assert len(set(keys)) == 2
