"""When is asked, by a clock that the test turns."""

import pytest

from context.pace import LONGEST_WAIT_S, OPENS_AFTER, Pace


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(60, clock=clock)


def test_requests_are_evenly_spaced_and_time_that_was_not_used_is_not_saved_up(clock: Clock, pace: Pace) -> None:
    assert pace.wait_s == 1
    clock.now += 3600
    made = 0
    for _ in range(100):
        if not pace.wait_s:
            pace.hold()
            pace.answered()
            made += 1
        clock.now += 0.1
    assert made == 10


def test_pauses_grow_until_five_minutes(clock: Clock, pace: Pace) -> None:
    waits = []
    for _ in range(12):
        clock.now += pace.wait_s
        pace.failed()
        waits.append(pace.wait_s)
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-3:] == [LONGEST_WAIT_S] * 3 == [300] * 3


def test_the_breaker_opens_after_some_failures_lets_one_trial_through_and_closes_with_an_answer(
    clock: Clock, pace: Pace
) -> None:
    for _ in range(OPENS_AFTER):
        assert not pace.is_open
        clock.now += pace.wait_s
        pace.failed()
    assert pace.is_open
    before = pace.wait_s
    clock.now += before
    assert pace.wait_s == 0
    pace.hold()
    pace.failed()
    assert pace.is_open
    assert pace.wait_s == 2 * before
    clock.now += pace.wait_s
    pace.hold()
    pace.answered()
    assert not pace.is_open
    assert pace.wait_s == 1


def test_what_the_server_wishes_counts_where_it_is_longer(clock: Clock, pace: Pace) -> None:
    pace.failed(0.5)
    assert pace.wait_s == 1
    clock.now += 1
    pace.failed(700)
    assert pace.wait_s == 700


def test_a_request_takes_fewer_pages_after_each_failure_and_more_after_each_answer(pace: Pace) -> None:
    sizes = []
    for _ in range(7):
        sizes.append(pace.most_pages)
        pace.failed()
    assert sizes == [50, 25, 12, 6, 3, 1, 1]
    for _ in range(7):
        sizes.append(pace.most_pages)
        pace.answered()
    assert sizes[-7:] == [1, 2, 4, 8, 16, 32, 50]
