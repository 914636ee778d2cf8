"""The report of a part: kept before anything changes and at the end, also when the part was cut off in between."""

import pytest

from freshet.store import upkeep
from freshet.store.migrate import migrate
from spark_jobs.replay_report import KeptReport

pytestmark = pytest.mark.integration


@pytest.fixture
def conninfo(database: str) -> str:
    migrate(database)
    return database


def report(conninfo: str, dry_run: bool = False) -> KeptReport:
    return KeptReport(conninfo, "replay", "run", "log-0:0-9", dry_run=dry_run)


def test_a_part_that_ended_has_its_figures(conninfo: str) -> None:
    made = report(conninfo)
    made.set_out({"rows": 10})
    assert made.finish({"rows": 10}, 1.234) == {"rows": 10, "dry_run": False, "seconds": 1.23}
    (kept,) = upkeep.reports(conninfo, "replay", "run")
    assert (kept.part, kept.dry_run, kept.report["rows"], kept.seconds) == ("log-0:0-9", False, 10, 1.234)


def test_a_part_that_was_cut_off_and_run_again_reports_what_the_first_run_set_out_to_do(conninfo: str) -> None:
    report(conninfo).set_out({"rows": 10, "republished": 7})
    again = report(conninfo)
    again.set_out({"rows": 10, "republished": 0})
    assert again.finish({"rows": 10, "republished": 0}, 1)["republished"] == 7
    third = report(conninfo)
    third.set_out({"rows": 10, "republished": 0})
    assert third.finish({"rows": 10, "republished": 0}, 1)["republished"] == 0


def test_a_dry_run_is_kept_at_its_end_only(conninfo: str) -> None:
    made = report(conninfo, dry_run=True)
    made.set_out({"rows": 10})
    assert upkeep.reports(conninfo, "replay", "run") == []
    made.finish({"rows": 10}, 1)
    assert [kept.dry_run for kept in upkeep.reports(conninfo, "replay", "run")] == [True]


def test_without_a_run_nothing_is_kept() -> None:
    made = KeptReport("", "replay", "", "part", dry_run=False)
    made.set_out({})
    assert made.finish({"rows": 1}, 2) == {"rows": 1, "dry_run": False, "seconds": 2}
