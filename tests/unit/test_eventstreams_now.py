"""The stand-in's time of day."""

import time

import pytest

from local.eventstreams.served import Now

HOUR_NS = 3_600_000_000_000


def test_edits_go_on_when_the_clock_of_this_machine_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Now()
    before = now.ms()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - HOUR_NS)
    assert 0 <= now.ms() - before < 60_000


def test_a_machine_that_slept_finds_the_time_that_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Now()
    before = now.ms()
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + HOUR_NS)
    assert now.ms() - before >= 3_600_000
