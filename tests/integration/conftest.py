"""Fixtures of the tests of answers: a migrated store, a stand-in for a model, and the API that uses both."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from psycopg import Connection
from pydantic import SecretStr

from api.app import create_app
from freshet.settings import load_settings
from freshet.store import repository
from freshet.store.migrate import migrate
from local.openai_server.app import MODEL, OpenAIServer
from tests.api_builders import BagOfWords
from tests.serving import listening

Application = Callable[..., FastAPI]


@pytest.fixture(scope="session")
def model_address() -> Iterator[tuple[OpenAIServer, str]]:
    """A stand-in for a model, and its base URL."""
    model = OpenAIServer()
    with listening(model) as (_, address):
        yield model, f"{address}/v1"


@pytest.fixture
def model(model_address: tuple[OpenAIServer, str]) -> Iterator[OpenAIServer]:
    """The stand-in as if nobody had asked it yet."""
    stand_in, _ = model_address
    stand_in.reset()
    yield stand_in
    stand_in.delay_s = 0


@pytest.fixture
def store(database: str) -> str:
    """Connection string of an empty store."""
    migrate(database)
    return database


@pytest.fixture
def connection(store: str) -> Iterator[Connection]:
    """A connection of a writer to it."""
    with repository.connect(store) as connection:
        yield connection


@pytest.fixture
def application(store: str, model_address: tuple[OpenAIServer, str]) -> Application:
    """Makes the API over the store, with a model of this name behind it; None: without a model."""

    def make(name: str | None = MODEL, **given: Any) -> FastAPI:
        server = {"openai_base_url": model_address[1], "answer_model": name} if name else {}
        return create_app(load_settings(postgres_dsn=SecretStr(store), **{**server, **given}), BagOfWords())

    return make
