"""Whether a step of the machine's clock is seen."""

from pathlib import Path
from threading import Event, Timer

import pytest

from freshet.lake import LakePaths
from spark_jobs import stream
from spark_jobs.clock import STEP_S, Clock


class Times:
    """A time of day that can be set, and the time that has passed."""

    def __init__(self) -> None:
        self.now = 1_795_000_000.0
        self.passed = 10.0

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.passed += seconds


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def clock(times: Times) -> Clock:
    return Clock(lambda: times.now, lambda: times.passed)


def test_time_that_passes_is_no_step(times: Times, clock: Clock) -> None:
    for seconds in (0.5, 3600, 0):
        times.pass_by(seconds)
        assert clock.set_back_s() == 0


def test_a_step_back_is_said_once_with_its_seconds(times: Times, clock: Clock) -> None:
    times.pass_by(0.5)
    times.now -= 3600
    assert clock.set_back_s() == pytest.approx(3600)
    times.pass_by(0.5)
    assert clock.set_back_s() == 0


def test_a_step_ahead_or_a_small_one_is_none(times: Times, clock: Clock) -> None:
    times.now += 3600
    assert clock.set_back_s() == 0
    times.now -= STEP_S - 1
    assert clock.set_back_s() == 0


def test_after_a_step_ahead_the_way_back_is_seen(times: Times, clock: Clock) -> None:
    times.now += 3600
    clock.set_back_s()
    times.now -= 3600
    assert clock.set_back_s() == pytest.approx(3600)


def test_the_application_ends_to_be_started_again_once_the_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch, times: Times, clock: Clock, tmp_path: Path
) -> None:
    times.now -= 3600
    monkeypatch.setattr(stream, "Clock", lambda: clock)
    stopping = Event()
    otherwise = Timer(5, stopping.set)
    otherwise.start()
    well = stream.watch([], stopping, LakePaths(f"file://{tmp_path}"))
    otherwise.cancel()
    assert not well
