"""What each leg of a search finds by itself, and what the product's fusion of them finds."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from freshet.store import search
from freshet.store.embeddings import Vector
from freshet.store.filters import Filters
from freshet.store.lexicon import Lexicon
from freshet.store.ranking import WORDS_WEIGHT
from local.bench.relevance import Question, by_kind, reciprocal_rank_fusion, summary

Asked = tuple[Question, Vector]

DEPTH: Final = 50
"""So many results of each search are looked at."""

WEIGHTS: Final = tuple(round(0.1 * step, 1) for step in range(9))


def by_leg(conninfo: str, asked: Sequence[Asked], filters: Filters) -> dict[str, Any]:
    """`ndcg10` and `recall10` of `vector`, `text` and `hybrid`, and of `rrf`, the usual fusion, to compare with."""
    questions = [question for question, _ in asked]
    ranked = {leg: _ids(look(conninfo, asked, filters, leg)) for leg in ("vector", "text", "hybrid")}
    ranked["rrf"] = [reciprocal_rank_fusion(*pair) for pair in zip(ranked["vector"], ranked["text"], strict=True)]
    return {leg: summary(rankings, questions) for leg, rankings in ranked.items()}


def with_and_without_context(conninfo: str, asked: Sequence[Asked], filters: Filters) -> dict[str, Any]:
    """`plain`, by the edits alone, and `context`, by their pages as well: `ndcg10` and `recall10` of `all` questions
    and of each kind."""
    questions = [question for question, _ in asked]
    return {
        name: by_kind(_ids(look(conninfo, asked, filters, leg)), questions)
        for name, leg in (("plain", "edits"), ("context", "hybrid"))
    }


def by_words_weight(conninfo: str, asked: Sequence[Asked], filters: Filters) -> list[dict[str, float]]:
    """nDCG@10 of all questions and of each kind by what the share of words weighs: 0 is without words."""
    questions = [question for question, _ in asked]
    points = []
    for weight in WEIGHTS:
        found = by_kind(_ids(look(conninfo, asked, filters, words_weight=weight)), questions)
        points.append({"weight": weight, **{kind: one["ndcg10"] for kind, one in found.items()}})
    return points


def look(
    conninfo: str, asked: Sequence[Asked], filters: Filters, leg: str = "hybrid", words_weight: float = WORDS_WEIGHT
) -> list[list[search.Found]]:
    """What the product's search finds for each question: as `hybrid`, or by `vector`, `text` or `edits` alone."""
    return asyncio.run(_look(conninfo, asked, filters, leg, words_weight))


async def _look(
    conninfo: str, asked: Sequence[Asked], filters: Filters, leg: str, words_weight: float
) -> list[list[search.Found]]:
    lexicon = Lexicon()
    found = []
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await search.configure(connection)
        model = await search.active_model(connection)
        for question, vector in asked:
            query = search.Query(
                "" if leg == "vector" else question.text,
                None if leg == "text" else vector,
                filters,
                DEPTH,
                by_page=leg != "edits",
                words_weight=words_weight,
            )
            found.append(await search.search(connection, model, query, lexicon))
    return found


def _ids(found: Sequence[Sequence[search.Found]]) -> list[list[str]]:
    return [[one.doc_id for one in each] for each in found]
