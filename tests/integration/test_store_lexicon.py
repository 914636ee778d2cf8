"""How words of a query are looked for, and that they are asked for once, against a real Postgres."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import pytest

from freshet.store.lexicon import Lexicon, Term
from freshet.store.migrate import migrate
from freshet.store.search import configure
from tests.api_builders import insert
from tests.documents import document

pytestmark = pytest.mark.integration

Connection = psycopg.AsyncConnection[Any]


@pytest.fixture
def store(database: str) -> str:
    migrate(database)
    return database


def run(conninfo: str, story: Callable[[Connection], Coroutine[Any, Any, list[Term]]]) -> list[Term]:
    async def connected() -> list[Term]:
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            await configure(connection)
            return await story(connection)

    return asyncio.run(connected())


def test_a_word_is_looked_for_as_every_dictionary_has_it(store):
    (term,) = run(store, lambda connection: Lexicon().terms(connection, ["Städte"]))
    assert {"'stadt'", "'städt'", "'städte'"} <= set(term.query.split(" | "))
    assert "'stadt'" not in run(store, lambda connection: Lexicon().terms(connection, ["stage"]))[0].query


def test_words_that_no_dictionary_keeps_are_left_out(store):
    assert run(store, lambda connection: Lexicon().terms(connection, ["--", "bridge"]))[0].term == "bridge"


def test_the_rarer_a_word_the_more_it_weighs(store):
    rows = [document(title=f"Football {number}") for number in range(50)]
    insert(store, *rows, document(title="Mbappé"), document(title="Mbappé again"), analyze=True)
    terms = run(store, lambda connection: Lexicon().terms(connection, ["football", "mbappé", "unheard"]))
    common, rare, unheard = terms
    assert common.documents == pytest.approx(50, abs=1)
    assert unheard.weight >= rare.weight > common.weight


def test_before_the_first_analyze_all_words_are_rare_and_weigh_alike(store):
    insert(store, document(title="Football"))
    terms = run(store, lambda connection: Lexicon().terms(connection, ["football", "mbappé"]))
    assert {term.weight for term in terms} == {terms[0].weight}
    assert all(term.is_rare for term in terms)


def test_a_word_is_asked_for_once(store):
    lexicon = Lexicon()

    async def story(connection: Connection) -> list[Term]:
        first = await lexicon.terms(connection, ["bridge", "--"])
        await connection.close()
        return [*first, *await lexicon.terms(connection, ["--", "bridge"])]

    first, second = run(store, story)
    assert first is second
