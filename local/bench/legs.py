"""What each leg of a search finds by itself, and what the product's fusion of them finds."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from freshet.store import search
from freshet.store.embeddings import Vector
from freshet.store.filters import Filters
from freshet.store.lexicon import Lexicon
from local.bench.relevance import Question, reciprocal_rank_fusion, summary

Asked = tuple[Question, Vector]

DEPTH: Final = 50
"""So many results of each search are looked at."""


def by_leg(conninfo: str, asked: Sequence[Asked], filters: Filters) -> dict[str, Any]:
    """`ndcg10` and `recall10` of `vector`, `text` and `hybrid`, and of `rrf`, the usual fusion, to compare with."""
    questions = [question for question, _ in asked]
    ranked = {
        leg: [[one.doc_id for one in found] for found in look(conninfo, asked, filters, leg)]
        for leg in ("vector", "text", "hybrid")
    }
    ranked["rrf"] = [reciprocal_rank_fusion(*pair) for pair in zip(ranked["vector"], ranked["text"], strict=True)]
    return {leg: summary(rankings, questions) for leg, rankings in ranked.items()}


def look(conninfo: str, asked: Sequence[Asked], filters: Filters, leg: str = "hybrid") -> list[list[search.Found]]:
    """What the product's search finds for each question, by one leg or by both."""
    return asyncio.run(_look(conninfo, asked, filters, leg))


async def _look(conninfo: str, asked: Sequence[Asked], filters: Filters, leg: str) -> list[list[search.Found]]:
    lexicon = Lexicon()
    found = []
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await search.configure(connection)
        model = await search.active_model(connection)
        for question, vector in asked:
            text = "" if leg == "vector" else question.text
            query = search.Query(text, None if leg == "text" else vector, filters, DEPTH)
            found.append(await search.search(connection, model, query, lexicon))
    return found
