"""Queries on their way to vectors: together, once, and not for ever."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from api.asker import CLIENT
from api.query_vectors import OverloadedError, QueryVectors, Vector
from freshet.errors import PermanentError


class Gated:
    """An embedder that begins when it is let, and tells what it was asked."""

    model_id = "gated"
    dimensions = 1

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.open = threading.Event()
        self.error: Exception | None = None

    def embed(self, texts: Sequence[str]) -> Vector:
        self.calls.append(list(texts))
        assert self.open.wait(10)
        if self.error:
            raise self.error
        return np.array([[len(text)] for text in texts], dtype=np.float32)


async def asking(vectors: QueryVectors, embedder: Gated, *queries: str) -> list[asyncio.Task[Vector]]:
    """The queries wait behind a first one that is being embedded."""
    first = asyncio.create_task(vectors.vector("first"))
    while not embedder.calls:
        await asyncio.sleep(0)
    others = [asyncio.create_task(vectors.vector(query)) for query in queries]
    await asyncio.sleep(0)
    return [first, *others]


def test_those_that_wait_together_are_embedded_in_one_call_and_equal_ones_once():
    async def story(embedder: Gated) -> list[Vector]:
        tasks = await asking(QueryVectors(embedder, 10), embedder, "bb", "ccc", "bb")
        embedder.open.set()
        return await asyncio.gather(*tasks)

    embedder = Gated()
    assert [vector[0] for vector in asyncio.run(story(embedder))] == [5, 2, 3, 2]
    assert embedder.calls == [["first"], ["bb", "ccc"]]


def test_what_was_asked_before_is_remembered():
    async def story(embedder: Gated) -> None:
        vectors = QueryVectors(embedder, 10)
        embedder.open.set()
        await vectors.vector("a")
        await vectors.vector("a")

    embedder = Gated()
    asyncio.run(story(embedder))
    assert embedder.calls == [["a"]]


def test_who_would_wait_longer_than_the_deadline_is_told_at_once_how_long():
    async def story(embedder: Gated) -> None:
        vectors = QueryVectors(embedder, deadline_s=0.035)
        tasks = await asking(vectors, embedder, "b", "c")
        with pytest.raises(OverloadedError) as refused:
            await vectors.vector("d")
        assert refused.value.wait_s == pytest.approx(0.04)
        embedder.open.set()
        await asyncio.gather(*tasks)

    asyncio.run(story(Gated()))


def test_who_leaves_does_not_take_the_vector_from_those_who_stay():
    async def story(embedder: Gated) -> Vector:
        _, leaving, staying = await asking(QueryVectors(embedder, 10), embedder, "bb", "bb")
        leaving.cancel()
        embedder.open.set()
        return await staying

    assert asyncio.run(story(Gated()))[0] == 2


@pytest.mark.parametrize("error", [PermanentError("no"), ValueError("a bug")])
def test_an_embedder_that_fails_fails_all_who_wait_and_none_after_them(error):
    async def story(embedder: Gated) -> None:
        vectors = QueryVectors(embedder, 10)
        embedder.error = error
        tasks = await asking(vectors, embedder, "b")
        embedder.open.set()
        assert await asyncio.gather(*tasks, return_exceptions=True) == [error, error]
        embedder.error = None
        assert (await vectors.vector("b"))[0] == 1

    asyncio.run(story(Gated()))


async def asking_as(client: str, vectors: QueryVectors, *queries: str) -> list[asyncio.Task[Vector]]:
    """Each client's requests have a context of their own."""
    CLIENT.set(client)
    tasks = [asyncio.create_task(vectors.vector(query)) for query in queries]
    await asyncio.sleep(0)
    return tasks


def test_clients_take_turns_and_who_asks_much_waits_behind_its_own():
    async def story(embedder: Gated) -> None:
        vectors = QueryVectors(embedder, 10)
        tasks = await asking(vectors, embedder)
        tasks += await asking_as("greedy", vectors, *(f"q{number}" for number in range(40)))
        tasks += await asking_as("modest", vectors, "mine", "q39")
        embedder.open.set()
        await asyncio.gather(*tasks)

    embedder = Gated()
    asyncio.run(story(embedder))
    assert embedder.calls[1][:4] == ["q0", "mine", "q1", "q39"]
    made = [query for call in embedder.calls for query in call]
    assert sorted(made) == sorted({"first", "mine", *(f"q{number}" for number in range(40))})


def test_who_asks_too_much_is_told_so_and_others_are_not():
    async def story(embedder: Gated) -> None:
        vectors = QueryVectors(embedder, deadline_s=0.05)
        tasks = await asking(vectors, embedder)
        tasks += await asking_as("greedy", vectors, "a", "b", "c", "d", "e", "f")
        tasks += await asking_as("modest", vectors, "mine")
        embedder.open.set()
        *_, last, one_too_many, mine = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(one_too_many, OverloadedError)
        assert isinstance(last, OverloadedError)
        assert isinstance(mine, np.ndarray)

    asyncio.run(story(Gated()))
