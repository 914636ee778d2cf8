"""Answers on their way into the store go together when they are ready together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.answers import keeping
from api.answers.keeping import Keeper
from freshet.errors import TransientError
from freshet.store.answers import Given


def given() -> Given:
    return Given(uuid4(), datetime.now(UTC), "question", "answer", "grounded", "model", "name", {}, ["doc"], 1.0)


class Store:
    """A store whose statements wait until they are let."""

    def __init__(self) -> None:
        self.batches: list[list[UUID]] = []
        self.open = asyncio.Event()
        self.error: Exception | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[None]:
        yield

    async def keep(self, _: Any, answers: Sequence[Given]) -> None:
        self.batches.append([one.answer_id for one in answers])
        await self.open.wait()
        if self.error:
            raise self.error


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store()
    monkeypatch.setattr(keeping.answers, "keep", store.keep)
    return store


async def keeping_all(store: Store, answers: Sequence[Given]) -> list[asyncio.Task[None]]:
    """The first is being stored while the others come."""
    keeper = Keeper(store)  # type: ignore[arg-type]
    first = asyncio.create_task(keeper.keep(answers[0]))
    while not store.batches:
        await asyncio.sleep(0)
    others = [asyncio.create_task(keeper.keep(one)) for one in answers[1:]]
    await asyncio.sleep(0)
    return [first, *others]


def test_those_that_come_while_others_are_stored_go_in_one_statement(stored):
    async def story() -> None:
        tasks = await keeping_all(stored, answers)
        assert not any(task.done() for task in tasks)
        stored.open.set()
        await asyncio.gather(*tasks)

    answers = [given() for _ in range(4)]
    asyncio.run(story())
    ids = [one.answer_id for one in answers]
    assert stored.batches == [ids[:1], ids[1:]]


def test_who_leaves_does_not_keep_the_others_from_being_stored(stored):
    async def story() -> None:
        tasks = await keeping_all(stored, answers)
        tasks[1].cancel()
        stored.open.set()
        await tasks[2]

    answers = [given() for _ in range(3)]
    asyncio.run(story())
    assert [len(batch) for batch in stored.batches] == [1, 2]


def test_a_store_that_is_away_fails_nobody(stored):
    async def story() -> None:
        stored.error = TransientError("away")
        tasks = await keeping_all(stored, [given(), given()])
        stored.open.set()
        await asyncio.gather(*tasks)

    unstored = keeping.metrics.UNSTORED._value.get()
    asyncio.run(story())
    assert keeping.metrics.UNSTORED._value.get() == unstored + 2
