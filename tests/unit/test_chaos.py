"""Chaos: which faults a seed gives, when one is got over, and what the report makes of the books."""

from collections import Counter

import pytest

from local.audit.balance import Imbalance, Report
from local.chaos.plan import SLOT_S, Fault, Planned, plan
from local.chaos.report import Hit, outcome, report
from local.chaos.run import VICTIMS
from local.chaos.watch import Sample

KILL = Planned(0, Fault.KILL, "serve")
BALANCED = Report({}, [])


def samples(*staleness_s: float, down: range = range(0)) -> list[Sample]:
    """One a second; in the seconds `down` the process does not work."""
    return [
        Sample(float(at), frozenset() if at in down else frozenset({"serve"}), stale)
        for at, stale in enumerate(staleness_s)
    ]


def test_a_seed_gives_the_same_faults_and_another_seed_others() -> None:
    assert plan(600, 7, VICTIMS) == plan(600, 7, VICTIMS) != plan(600, 8, VICTIMS)


@pytest.mark.parametrize("seed", range(20))
def test_ten_minutes_have_thirty_kills_of_every_process_and_every_other_fault(seed: int) -> None:
    planned = plan(600, seed, VICTIMS)
    kills = Counter(one.process for one in planned if one.fault is Fault.KILL)
    assert kills.total() >= 30
    assert set(kills) == set(VICTIMS)
    assert max(kills.values()) - min(kills.values()) <= 1
    assert [one.at_s // SLOT_S for one in planned] == list(range(50))


def test_a_run_that_is_long_enough_has_every_fault_there_is() -> None:
    names = {one.name for one in plan(3600, 1, VICTIMS)}
    assert {str(fault) for fault in Fault} - {Fault.KILL, Fault.FREEZE} <= names
    assert {f"{fault} {name}" for fault in (Fault.KILL, Fault.FREEZE) for name in VICTIMS} <= names


def test_a_fault_is_over_when_its_process_works_and_edits_are_fresh_again() -> None:
    hit = Hit(KILL, ["serve"], began=1, ended=1)
    over = outcome(hit, samples(0, 1, 2, 3, 14, 15, 12, 9, 1, down=range(2, 5)))
    assert (over.recovery_s, over.staleness_s) == (6, 15)


def test_a_process_that_works_is_not_yet_over_its_fault_while_edits_are_old() -> None:
    hit = Hit(KILL, ["serve"], began=1, ended=1)
    assert outcome(hit, samples(0, 1, 20, 20, 20, 3)).recovery_s == 4


def test_a_fault_beside_the_way_of_an_edit_is_over_when_its_process_works_however_old_edits_are() -> None:
    hit = Hit(Planned(0, Fault.KILL, "lake"), ["lake"], began=0, ended=0)
    seen = [Sample(float(at), frozenset({"lake"} if at > 2 else ()), 60.0) for at in range(9)]
    assert (outcome(hit, seen).recovery_s, outcome(hit, seen).staleness_s) == (3, None)


def test_a_look_that_began_with_the_fault_does_not_count_as_over() -> None:
    hit = Hit(KILL, ["serve"], began=1, ended=1)
    assert outcome(hit, samples(0, 0, 0, down=range(2, 3))).recovery_s == 1
    assert outcome(hit, samples(0, 0, 0, 0, 0, down=range(2, 4))).recovery_s == 3


def test_what_lasts_is_got_over_from_when_it_was_taken_back() -> None:
    hit = Hit(Planned(0, Fault.FREEZE, "serve"), ["serve"], began=1, ended=4)
    over = outcome(hit, samples(0, 1, 2, 3, 4, 5, 1, down=range(1, 6)))
    assert (over.recovery_s, over.staleness_s) == (2, 5)


def test_the_report_says_what_was_lost_and_doubled() -> None:
    books = Report({}, [Imbalance("gold", "missing", 3, ()), Imbalance("bronze", "doubled", 2, ())])
    hits = [Hit(KILL, ["serve"], 1, 1), Hit(Planned(0, Fault.POWER_CUT), ["serve"], 2, 2), Hit(KILL, ["serve"], 2, 2)]
    found = report(hits, samples(0, 1, 2, 30, 4), books)
    assert (found["kills"], found["balanced"], found["lost"], found["doubled"]) == (3, False, 3, 2)
    assert found["longest_staleness_s"] == 30
    assert found["faults"]["kill serve"] == {"count": 2, "longest_recovery_s": 2, "longest_staleness_s": 30}


def test_books_that_balance_have_nothing_lost_and_nothing_doubled() -> None:
    found = report([Hit(KILL, ["serve"], 0, 0)], samples(0, 0, 0), BALANCED)
    assert (found["balanced"], found["lost"], found["doubled"]) == (True, 0, 0)
