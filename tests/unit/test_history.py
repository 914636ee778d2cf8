"""History that is asked for: checked before anything is sent, and cut into parts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from freshet.errors import PermanentError
from freshet.settings import Settings, load_settings
from freshet.upkeep import fill_history
from freshet.upkeep.fill_history import Wanted, is_owed, remarks, wanted
from freshet.upkeep.history import History, history
from freshet.upkeep.interval import Interval
from freshet.upkeep.observations import Owed

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
TEN, ELEVEN = NOW.replace(hour=10, minute=0), NOW.replace(hour=11, minute=0)
NOTHING: dict[str, Any] = {"since": None, "until": None, "archives": [], "gaps": False, "rate": None, "again": False,
                           "dry_run": True}  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "archives", "why"),
    [
        (None, None, (), "names neither"),
        (None, "2026-11-23T10:00:00Z", (), "names neither"),
        ("2026-11-23T10:00:00", None, (), "names no time zone"),
        ("yesterday", None, (), "is no time"),
        ("2026-11-23T12:31:00Z", None, (), r"since \(2026-11-23T12:31:00Z\) lies in the future"),
        ("2026-11-23T10:00:00Z", "2026-11-24T10:00:00Z", (), r"until .* lies in the future"),
        ("2026-11-23T10:00:00Z", "2026-11-23T09:00:00Z", (), "must be before until"),
        ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00+01:00", ("a",), "must be before until"),
        ("2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z", (), "name an archive"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    since: str | None, until: str | None, archives: tuple[str, ...], why: str
) -> None:
    with pytest.raises(PermanentError, match=why):
        history(since, until, archives, NOW)


def test_a_time_is_of_any_zone_and_goes_up_to_now_unless_it_says_more() -> None:
    asked = history("2026-11-23T11:00:00+01:00", None, (), NOW)
    assert asked == History(TEN, NOW)
    assert asked.arguments == ["--since", "2026-11-23T10:00:00Z", "--until", "2026-11-23T12:30:00Z"]


def test_an_archive_needs_no_time_and_may_be_of_any() -> None:
    assert history(None, None, ["a", "b"], NOW) == History(None, None, ("a", "b"))
    assert history("2017-01-01T00:00:00Z", None, ["a"], NOW).until is None


def test_a_long_time_is_read_by_the_hour_and_archives_one_by_one() -> None:
    assert list(history("2026-11-23T10:00:00Z", None, (), NOW).parts()) == [
        History(TEN, ELEVEN),
        History(ELEVEN, TEN + timedelta(hours=2)),
        History(TEN + timedelta(hours=2), NOW),
    ]
    parts = list(history("2026-11-23T10:00:00Z", None, ["a", "b"], NOW).parts())
    assert parts == [History(TEN, None, ("a",)), History(TEN, None, ("b",))]


def test_a_name_that_a_shell_would_read_otherwise_stays_one_word() -> None:
    (line,) = planned(History(None, None, ("a; rm -rf b",))).commands(["python"], "dag", "run")
    assert "--archive 'a; rm -rf b'" in line


def decided(
    run_type: str, conf: dict[str, Any], interval: Interval | None = None, *, fills_gaps: bool = False
) -> Wanted:
    return wanted(run_type, {**NOTHING, **conf}, conf, interval, NOW, fills_gaps=fills_gaps)


def test_by_schedule_gaps_are_looked_for_and_filled_only_by_the_setting() -> None:
    assert decided("scheduled", {}, Interval(TEN, ELEVEN)) == Wanted(None, apply=False)
    assert decided("scheduled", {}, Interval(TEN, ELEVEN), fills_gaps=True).apply


def test_a_backfill_over_dates_fills_the_interval_of_its_run() -> None:
    assert decided("backfill", {}, Interval(TEN, ELEVEN)) == Wanted(History(TEN, ELEVEN), apply=True)
    assert not decided("backfill", {"dry_run": True}, Interval(TEN, ELEVEN)).apply
    for conf, interval in (
        ({"since": "2026-11-23T10:00:00Z"}, Interval(TEN, ELEVEN)),
        ({}, Interval(TEN, TEN)),
        ({}, None),
    ):
        with pytest.raises(PermanentError):
            decided("backfill", conf, interval)


def test_by_hand_it_is_dry_unless_told_otherwise() -> None:
    asked = {"since": "2026-11-23T10:00:00Z", "until": "2026-11-23T11:00:00Z"}
    # the interval that Airflow makes up for a run by hand says nothing
    assert decided("manual", asked, Interval(ELEVEN, NOW)) == Wanted(History(TEN, ELEVEN), apply=False)
    assert decided("manual", {**asked, "dry_run": False, "rate": 5}) == Wanted(History(TEN, ELEVEN), apply=True, rate=5)
    assert decided("manual", {"gaps": True}).history is None


def test_gaps_and_a_time_contradict_each_other() -> None:
    with pytest.raises(PermanentError, match="either gaps or since"):
        decided("manual", {"gaps": True, "since": "2026-11-23T10:00:00Z"})
    with pytest.raises(PermanentError, match="names neither"):
        decided("manual", {})


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return load_settings(lake_root=f"file://{tmp_path}/lake")


def test_an_archive_that_is_not_there_is_named_before_anything_begins(settings: Settings) -> None:
    with pytest.raises(PermanentError, match="no archive /nowhere"):
        fill_history.plan(settings, Wanted(History(None, None, ("/nowhere",)), apply=True), NOW)


def planned(asked: History, usual: float = 0.0, *, apply: bool = False) -> fill_history.Plan:
    seen = fill_history.Continuity(60, usual, ())
    return fill_history.Plan(tuple(asked.parts()), apply, seen, 200, again=False, seconds=0.1)


def test_a_plan_says_how_much_there_is_to_read_as_far_as_it_is_known() -> None:
    plan = planned(History(TEN, NOW), usual=2400)
    assert (plan.minutes, plan.events) == (150, 360_000)
    assert plan.as_json()["expected_seconds"] == 1800
    assert (planned(History(TEN, NOW)).events, planned(History(None, None, ("a",)), 2400).minutes) == (None, None)
    assert all("--dry-run" in line for line in plan.commands(["python"], "dag", "run"))
    assert not any("--dry-run" in line for line in planned(History(TEN, NOW), apply=True).commands(["p"], "dag", "run"))


def test_what_was_only_found_is_told_with_the_command_that_fills_it() -> None:
    found = {"asked": ["--since", "A"], "done_before": False, "applied": False, "read": 0, "resumed": False}
    parts = {
        "plan": {"applied": False},
        "1": found,
        "2": {**found, "done_before": True},
        "3": {**found, "applied": True, "read": 5},
        "4": {**found, "applied": True},
    }
    assert remarks(parts) == [
        "not filled; this fills it: freshet backfill --since A --apply",
        "filled before: --since A",
        "nothing is there to be read: --since A",
    ]


def test_what_a_backfill_sent_and_the_lake_does_not_have_yet_is_no_gap() -> None:
    assert is_owed(Owed(3, TEN), TEN)
    assert is_owed(Owed(3, TEN + timedelta(seconds=2)), TEN)
    assert not is_owed(Owed(3, TEN + timedelta(minutes=1)), TEN)
    assert not is_owed(Owed(0, None), TEN)
    assert not is_owed(None, TEN)
    assert not is_owed(Owed(3, TEN), None)
