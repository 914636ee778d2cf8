"""The layers from their offsets, and answers that are remembered for a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from api.layers.progress import NO_TOPIC, topic
from api.remembered import Remembered
from freshet.offsets import Marks, age, unread
from tests.documents import NOON

NOON_MS = int(NOON.timestamp() * 1000)


def test_a_topic_is_the_sum_of_its_partitions_and_as_new_as_the_newest() -> None:
    out = topic([Marks(5, 15, NOON_MS - 4000), Marks(0, 3, NOON_MS - 1500), Marks(7, 7, -1)], NOON)
    assert (out.status, out.records, out.age_seconds) == ("ok", 13, 1.5)
    assert out.newest_at == NOON - timedelta(milliseconds=1500)


def test_an_empty_topic_has_no_newest_record_and_a_missing_one_nothing() -> None:
    empty = topic([Marks(0, 0, -1)], NOON)
    assert (empty.status, empty.records, empty.newest_at, empty.age_seconds) == ("ok", 0, None, None)
    assert (topic([], NOON).status, topic([], NOON).records) == (NO_TOPIC, None)


@pytest.mark.parametrize(
    ("marks", "committed", "waiting"),
    [
        (Marks(0, 10, 0), {0: 7}, range(7, 10)),
        (Marks(0, 10, 0), {0: 10}, range(10, 10)),
        (Marks(4, 10, 0), {0: 2}, range(4, 10)),
        (Marks(4, 10, 0), {0: -1001}, range(4, 10)),
        (Marks(4, 10, 0), {}, range(4, 10)),
        (Marks(0, 3, 0), {0: 90}, range(90, 3)),
    ],
)
def test_unread_is_what_the_group_has_not_committed_and_the_log_still_keeps(
    marks: Marks, committed: dict[int, int], waiting: range
) -> None:
    assert unread({0: marks}, committed) == {0: waiting}


def test_nothing_is_younger_than_now() -> None:
    assert age(NOON + timedelta(seconds=3), NOON) == 0


Counted = tuple[Callable[[str], Awaitable[str]], list[str]]


@pytest.fixture
def counted() -> Counted:
    """A function that waits for the loop and notes what it was asked."""
    asked: list[str] = []

    async def find(name: str) -> str:
        asked.append(name)
        await asyncio.sleep(0)
        return name.upper()

    return find, asked


def test_a_hundred_who_ask_at_once_cost_one_look_and_later_ones_none(counted: Counted) -> None:
    find, asked = counted

    async def story() -> None:
        remembered = Remembered(find, 60)
        assert set(await asyncio.gather(*(remembered("a") for _ in range(100)))) == {"A"}
        assert await remembered("a") == "A"
        assert await remembered("b") == "B"

    asyncio.run(story())
    assert asked == ["a", "b"]


def test_an_answer_is_forgotten_after_its_time(counted: Counted) -> None:
    find, asked = counted

    async def story() -> None:
        remembered = Remembered(find, 0.01)
        while len(asked) < 3:
            await remembered("a")
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(story(), 20))
    assert asked == ["a", "a", "a"]


def test_who_goes_away_leaves_the_look_to_the_others(counted: Counted) -> None:
    find, asked = counted

    async def story() -> None:
        remembered = Remembered(find, 60)
        impatient, patient = (asyncio.create_task(remembered("a")) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient == "A"

    asyncio.run(story())
    assert asked == ["a"]


def test_a_failure_goes_to_those_who_wait_and_is_not_remembered() -> None:
    failures = [OSError("away"), None]

    async def find() -> str:
        if (failure := failures.pop(0)) is not None:
            raise failure
        return "back"

    async def story() -> None:
        remembered = Remembered(find, 60)
        answers = await asyncio.gather(remembered(), remembered(), return_exceptions=True)
        assert [str(answer) for answer in answers] == ["away", "away"]
        await asyncio.sleep(0)
        assert await remembered() == "back"

    asyncio.run(story())
