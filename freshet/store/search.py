"""Hybrid search over documents: by meaning and by words, fused, in one statement. All values are bound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pgvector import HalfVector
from psycopg import AsyncConnection, sql
from psycopg.rows import class_row

from freshet.addresses import without_addresses
from freshet.store.filters import Filters, where
from freshet.store.lexicon import Lexicon, Term
from freshet.store.models import LISTED, Model, active
from freshet.store.ranking import WORDS_WEIGHT, Shape, statement
from freshet.store.words import parse

CANDIDATES: Final = 50
"""How many documents each leg hands to the fusion."""

WIDER: Final = (200, 800)
"""And how many when so many edits were of the same pages that the collapsed ones do not fill the result."""

EF_SEARCH: Final = 700
"""How many neighbours the vector index keeps in sight: what recall@10 is bought with (`freshet bench retrieval`)."""


@dataclass(frozen=True)
class Query:
    """What is looked for. `vector` has the model's dimensions; without it words alone decide.

    `collapse` shows of the edits of a page, and of texts that differ in digits only, the newest one, and counts the
    others. An edit `half_life_hours` older than the newest one counts half as recent. Without `by_page` edits are found
    by themselves alone, not by what their page is about.
    """

    text: str
    vector: npt.NDArray[np.float32] | None = None
    filters: Filters = field(default_factory=Filters)
    limit: int = 10
    collapse: bool = False
    half_life_hours: float = 24
    by_page: bool = True
    words_weight: float = WORDS_WEIGHT


@dataclass(frozen=True)
class Found:
    """One document that was found. `cosine` is None while its embedding is pending or no vector was asked with,
    `page_cosine` also while nothing is known of its page. What `page_origin` says of it is other people's text."""

    doc_id: str
    event_id: str
    title: str
    wiki: str
    language: str | None
    section: str | None
    comment: str
    text: str
    event_time: datetime
    user_kind: str
    user_name: str | None
    bytes_delta: int | None
    page_url: str | None
    diff_url: str | None
    revert_kind: str | None
    source: str
    page_item_id: str | None
    page_label: str | None
    page_description: str | None
    page_origin: str | None
    cosine: float | None
    page_cosine: float | None
    coverage: float
    """Share of the query's telling words that the document holds, the rarer the weightier: 0 to 1."""
    reverted: bool
    """A later edit of the page undid it."""
    score: float
    others: list[str]
    """doc_id of the edits that were collapsed into this one, newest first."""

    @property
    def nearness(self) -> float | None:
        """The better of the two cosines: that of the edit and that of its page."""
        return max((one for one in (self.cosine, self.page_cosine) if one is not None), default=None)


async def configure(connection: AsyncConnection[Any]) -> None:
    """Prepare a pool's connection for searching. Without iterative scans a filter loses results."""
    await connection.set_autocommit(True)
    await connection.execute("SET hnsw.iterative_scan = relaxed_order")
    await connection.execute(sql.SQL("SET hnsw.ef_search = {}").format(EF_SEARCH))
    await connection.execute("SET statement_timeout = '5s'")
    # vectors are fetched for the few documents that pass the filters: 24 ms for 5,400 of 200,000, joined otherwise 66
    await connection.execute("SET enable_hashjoin = off")
    await connection.execute("SET enable_mergejoin = off")
    await connection.execute("SET pg_trgm.similarity_threshold = 0.6")
    # a dictionary says of every word that it drops that it dropped it
    await connection.execute("SET client_min_messages = warning")


async def models(connection: AsyncConnection[Any]) -> list[Model]:
    """All models of the store; none before the indexer registered one."""
    cursor = connection.cursor(row_factory=class_row(Model))
    await cursor.execute(LISTED)
    return await cursor.fetchall()


async def active_model(connection: AsyncConnection[Any]) -> Model | None:
    """The model whose vectors are searched, or None before the indexer registered one."""
    return active(await models(connection))


async def search(connection: AsyncConnection[Any], model: Model | None, query: Query, lexicon: Lexicon) -> list[Found]:
    """The best documents, best first: at most `query.limit`. They hold no address of a person."""
    words = parse(query.text)
    terms = await lexicon.terms(connection, words.wanted)
    unwanted = await lexicon.terms(connection, words.unwanted)
    found: list[Found] = []
    for candidates in (max(CANDIDATES, query.limit), *WIDER):
        statement, values = _bound(query, model, terms, unwanted, candidates)
        cursor = connection.cursor(row_factory=class_row(Found))
        # With filters it is planned for its own values: how selective they are decides the plan.
        await cursor.execute(statement, values, prepare=False if query.filters.any() else None)
        found = await cursor.fetchall()
        if len(found) == query.limit or not any(one.others for one in found):
            break
    return [Found(**without_addresses(vars(one))) for one in found]


def _bound(
    query: Query, model: Model | None, terms: Sequence[Term], unwanted: Sequence[Term], candidates: int
) -> tuple[sql.Composed, dict[str, Any]]:
    rare = [text for term in terms if term.is_rare for text in (term.query, term.alike) if text]
    searched = model if query.vector is not None else None
    shape = Shape(
        table=searched.table_name if searched else None,
        page_table=searched.page_table.name if searched and query.by_page else None,
        filters=where(query.filters) if query.filters.any() else None,
        words="rare" if rare else "common" if terms else "none",
        unwanted=bool(unwanted),
        collapse=query.collapse,
        candidates=candidates,
    )
    return statement(shape), {
        **query.filters.parameters(),
        "vector": HalfVector(query.vector).to_text() if query.vector is not None else None,
        "rare": _any_of(rare),
        "common": _any_of(term.query for term in terms),
        "unwanted": _any_of(term.query for term in unwanted),
        "queries": [term.query for term in terms],
        "alike": [term.alike for term in terms],
        "weights": [term.weight for term in terms],
        "weight": sum(term.weight for term in terms),
        "rarest": max((term.weight for term in terms), default=None),
        "words_weight": query.words_weight,
        "half_life_s": query.half_life_hours * 3600,
        "limit": query.limit,
    }


def _any_of(queries: Iterable[str]) -> str:
    """Queries in the text form of tsquery, as one that matches when any of them does."""
    return " | ".join(f"({query})" for query in queries)
