"""How the audit waits for a stage, and what goes before what on a full machine."""

from pathlib import Path

import pytest

from freshet.settings import Settings
from local import audit, stack
from local.audit.balance import Report
from local.audit.ledger import Books

LOOK_S = 20.0
"""A look at a large lake."""


class Clock:
    """Time that passes only by sleeping and by looking."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Slow:
    """An auditor that finds so many records missing from the lake, look after look; each look takes its time."""

    def __init__(self, clock: Clock, missing: list[int]) -> None:
        self.books = Books()
        self._clock = clock
        self._missing = missing

    def read_log(self) -> int:
        return 0

    read_topics = read_index = read_log

    def read_lake(self) -> int:
        self._clock.now += LOOK_S
        return self._missing.pop(0)

    def cut_here(self) -> None:
        pass

    def close(self) -> None:
        pass


def waited(monkeypatch: pytest.MonkeyPatch, missing: list[int], wait_s: float) -> tuple[Clock, Report]:
    clock = Clock()
    monkeypatch.setattr(audit, "time", clock)
    monkeypatch.setattr(audit, "Auditor", lambda _: Slow(clock, missing))
    return clock, audit.audit(Settings(), wait_s, lambda _: None)


def test_it_rests_longer_than_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, _ = waited(monkeypatch, [300, 200, 100, 0], 600)
    assert len(clock.slept) == 3
    assert min(clock.slept) > LOOK_S


def test_it_goes_on_as_long_as_there_is_progress_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [400, 300, 200, *[100] * 50]
    waited(monkeypatch, left, 180)
    # a look and the rest after it are 80 s: three without progress are more than 180
    assert len(left) == 49 - 3


def test_the_lake_goes_after_what_is_live_and_before_upkeep(tmp_path: Path) -> None:
    niceness = {process.name: process.niceness for process in stack.declare(Settings(state_dir=tmp_path))}
    live = {niceness[name] for name in ("kafka", "postgres", "serve", "producer", "indexer", "api")}
    upkeep = {niceness[name] for name in niceness if name.startswith("airflow")}
    assert live == {0}
    # by the kernel's table a process five steps nicer has a third of another's time, fifteen steps a thirtieth
    assert 0 < niceness["lake"] <= 5 < min(upkeep)
