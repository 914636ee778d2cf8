"""Which model queries are embedded by, while the store moves from one to another."""

import asyncio
from threading import Event

import pytest

from api.query_models import QueryModels
from freshet.embedding import Embedder, Embedders
from freshet.errors import ConfigError
from freshet.store.models import Model, State
from tests.indexer_builders import TextEmbedder


class Loader:
    """Loads the models it knows, once it is let."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.open = Event()
        self.loads: list[str] = []

    def __call__(self, model_id: str) -> Embedder:
        self.loads.append(model_id)
        assert self.open.wait(10)
        if model_id not in self.known:
            raise ConfigError("unknown model")
        return TextEmbedder(model_id=model_id)


def models(**states: State) -> list[Model]:
    return [Model(name, 8, f"embeddings_{name}", state) for name, state in states.items()]


def beginning_with(loader: Loader, name: str, deadline_s: float = 10) -> QueryModels:
    return QueryModels(Embedders(loader, TextEmbedder(model_id=name)), name, deadline_s)


async def until_loaded(queries: QueryModels, name: str) -> None:
    await asyncio.to_thread(queries._embedders.wait, name)


def test_the_model_before_serves_until_the_active_one_is_loaded() -> None:
    async def story() -> None:
        loader = Loader("new")
        queries = beginning_with(loader, "old")
        assert queries.choose(models(old="active")) == models(old="active")[0]
        moved = models(old="retired", new="active")
        assert queries.choose(moved) == moved[0]
        assert queries.mismatch(moved) is None
        assert (await queries.embed("a")).model_id == "old"
        loader.open.set()
        await until_loaded(queries, "new")
        assert queries.choose(moved) == moved[1]
        assert (await queries.embed("a")).model_id == "new"

    asyncio.run(story())


def test_a_model_that_is_being_built_is_loaded_before_it_is_needed() -> None:
    async def story() -> None:
        loader = Loader("new")
        loader.open.set()
        queries = beginning_with(loader, "old")
        assert queries.choose(models(new="building", old="active")).model_id == "old"  # type: ignore[union-attr]
        async with asyncio.timeout(10):
            while not loader.loads:
                await asyncio.sleep(0.001)
        await until_loaded(queries, "new")
        moved = models(new="active", old="retired")
        assert queries.choose(moved) == moved[0]
        assert loader.loads == ["new"]

    asyncio.run(story())


def test_where_nothing_else_can_serve_a_query_waits_for_the_load() -> None:
    async def story() -> None:
        loader = Loader("new")
        queries = beginning_with(loader, "old")
        only = models(new="active")
        assert queries.choose(only) is None
        assert "it is being loaded" in str(queries.mismatch(only))
        waiting = asyncio.create_task(queries.embed("a"))
        await asyncio.sleep(0)
        loader.open.set()
        embedded = await waiting
        assert embedded.model_id == "new"
        assert embedded.vector is not None
        assert queries.choose(only) == only[0]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("active", "reason"),
    [
        ([Model("unknown", 8, "t")], "active model is unknown: unknown model: words only"),
        ([Model("old", 9, "t")], "8 dimensions here and 9 in the store: words only"),
        ([], "no embedding model is active"),
    ],
)
def test_without_a_model_that_fits_words_search_and_the_reason_is_said(active: list[Model], reason: str) -> None:
    async def story() -> None:
        loader = Loader()
        loader.open.set()
        queries = beginning_with(loader, "old")
        queries.choose(active)
        await queries.embed("a")
        assert queries.choose(active) is None
        assert reason in str(queries.mismatch(active))

    asyncio.run(story())


def test_a_model_that_nobody_needs_is_forgotten() -> None:
    async def story() -> None:
        loader = Loader("old", "new")
        loader.open.set()
        queries = beginning_with(loader, "old")
        moved = models(new="active", old="retired")
        queries.choose(moved)
        await until_loaded(queries, "new")
        queries.choose(moved)
        queries.choose(moved)
        await until_loaded(queries, "old")
        assert loader.loads == ["new", "old"]

    asyncio.run(story())
