"""The feed's hub: each event once, nobody waits for a slow listener, and who comes back is told what is gone."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.feed import hub, position
from api.feed.hub import Hub, Listener
from api.feed.position import Position

Taken = Callable[[Listener], tuple[int, list[str]]]


def everything(event: Any) -> bool:
    return True


def edit(number: int, **columns: Any) -> dict[str, Any]:
    return {"event_id": f"e{number}", "wiki": "enwiki", **columns}


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as loop:
        yield loop


@pytest.fixture
def taken(loop: asyncio.Runner) -> Taken:
    """What a listener is given now: how many were skipped, and the ids of the events."""

    def take(listener: Listener) -> tuple[int, list[str]]:
        skipped, items = loop.run(listener.take(0.01))
        return skipped, [item.event["event_id"] for item in items]

    return take


@pytest.fixture
def feed() -> Hub:
    feed = Hub()
    feed.begin({0: 0, 1: 0})
    return feed


def test_a_listener_gets_what_comes_after_it_and_only_once(feed: Hub, taken: Taken) -> None:
    feed.publish(0, 0, edit(0))
    with feed.listening(everything, None, 0) as listener:
        feed.publish(0, 1, edit(1))
        feed.publish(1, 0, edit(2))
        assert taken(listener) == (0, ["e1", "e2"])
        assert taken(listener) == (0, [])
    feed.publish(0, 2, edit(3))
    assert taken(listener) == (0, [])


def test_an_event_that_the_log_repeats_is_given_once(feed: Hub, taken: Taken) -> None:
    with feed.listening(everything, None, 0) as listener:
        for offset in range(3):
            feed.publish(0, offset, edit(7))
        assert taken(listener) == (0, ["e7"])


def test_a_listener_may_begin_with_the_newest_that_fit(feed: Hub, taken: Taken) -> None:
    for number in range(6):
        feed.publish(0, number, edit(number, wiki="dewiki" if number % 2 else "enwiki"))
    with feed.listening(lambda event: event["wiki"] == "dewiki", None, 2) as listener:
        assert taken(listener) == (0, ["e3", "e5"])


def test_who_comes_back_gets_exactly_what_it_has_not_had(feed: Hub, taken: Taken) -> None:
    with feed.listening(everything, None, 0) as listener:
        feed.publish(0, 0, edit(0))
        feed.publish(1, 0, edit(1))
        first = listener.waiting[0]
    feed.publish(0, 1, edit(2))
    with feed.listening(everything, position.parse(str(first.position)), 0) as listener:
        assert taken(listener) == (0, ["e1", "e2"])


def test_a_slow_listener_loses_the_oldest_and_is_told_how_many(
    feed: Hub, monkeypatch: pytest.MonkeyPatch, taken: Taken
) -> None:
    monkeypatch.setattr(hub, "BUFFER", 3)
    with feed.listening(everything, None, 0) as listener:
        for number in range(5):
            feed.publish(0, number, edit(number))
        assert taken(listener) == (2, ["e2", "e3", "e4"])


def test_who_comes_back_too_late_is_told_how_many_are_gone(taken: Taken) -> None:
    feed = Hub()
    feed.begin({0: 100, 1: 50})
    feed.publish(0, 100, edit(0))
    with feed.listening(everything, Position({0: 90, 1: 55}), 0) as listener:
        assert taken(listener) == (10, ["e0"])


def test_what_the_memory_let_go_counts_as_gone(feed: Hub) -> None:
    for number in range(hub.RECENT + 5):
        feed.publish(0, number, edit(number))
    with feed.listening(everything, Position({0: 2}), 0) as listener:
        assert listener.skipped >= 3


@pytest.mark.parametrize("text", ["", "x", "1-", "1-2.", "1-2,3-4", "-1-2", "1-2\n", "9" * 6 + "-1", "٣-٤"])
def test_an_id_of_somebody_else_is_no_position(text: str) -> None:
    assert position.parse(text) is None


def test_a_position_is_read_as_it_was_written() -> None:
    assert position.parse(str(Position({1: 5, 0: 12}))) == Position({0: 12, 1: 5})
