"""Recall and time of a search in a large store: many documents made of some real ones."""

import hashlib
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any, Final

import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from freshet.store import bulk, search
from freshet.store.embeddings import Vector, VectorTable, add_embedding_model
from freshet.store.filters import Filters, Page
from freshet.store.lexicon import Lexicon
from freshet.store.repository import Document

SPAN: Final = timedelta(days=7)
SEED: Final = 1
TOP: Final = 10
MANY: Final = 10
"""So many of the largest wikis, and of the busiest pages, take turns as filters."""

ALIKE_RECENT: Final = 1e9
"""A half-life, in hours, by which age makes no difference: nearness alone is compared."""

Asked = tuple[str, Vector]
"""A question and its vector."""


def varied(real: Sequence[tuple[Document, Vector]], count: int, now: datetime) -> Iterator[tuple[Document, Vector]]:
    """`count` documents over the last week: the real ones, then titles of theirs with sections and summaries of others.

    Both are of one wiki, and the vector is between those of the two.
    """
    choose = random.Random(SEED)  # noqa: S311
    by_wiki: dict[str, list[tuple[Document, Vector]]] = {}
    for pair in real:
        by_wiki.setdefault(pair[0]["wiki"], []).append(pair)
    for number, (titled, near) in enumerate(islice(cycle(real), count)):
        said, far = (titled, near) if number < len(real) else choose.choice(by_wiki[titled["wiki"]])
        text = ". ".join(filter(None, (titled["title"], said["section"], said["comment"])))
        share = choose.uniform(0.5, 0.9)
        vector = share * near + (1 - share) * far
        moment = now - SPAN * (count - number) / count
        document = {
            **titled,
            "doc_id": f"{titled['doc_id']}-{number}",
            "section": said["section"],
            "comment": said["comment"],
            "text": text,
            # a vector of its own, also where the words have come before
            "content_hash": hashlib.sha256(f"{number} {text}".encode()).hexdigest(),
            "event_time": moment,
            "searchable_at": moment,
        }
        yield document, (vector / np.linalg.norm(vector)).astype(np.float32)


def fill(conninfo: str, model_id: str, real: Sequence[tuple[Document, Vector]], count: int) -> int:
    """Make a store of so many documents in an empty, migrated database. Returns how many it has."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        register_vector(connection)
        table = add_embedding_model(connection, model_id, len(real[0][1]))
        return bulk.load(connection, VectorTable(model_id, table.name), varied(real, count, datetime.now(UTC)))


async def measure(conninfo: str, real: Sequence[tuple[Document, Vector]], questions: Sequence[Asked]) -> dict[str, Any]:
    """recall@10 of the vector index against comparing all, and milliseconds of whole searches, by filter."""
    wikis = [name for name, _ in Counter(document["wiki"] for document, _ in real).most_common(MANY)]
    pages = Counter(Page(document["wiki"], document["title"]) for document, _ in real).most_common(MANY)
    filters: dict[str, list[Filters]] = {
        "all": [Filters()],
        "wiki": [Filters(wikis=[name]) for name in wikis],
        "day": [Filters(since=datetime.now(UTC) - timedelta(days=1))],
        "page": [Filters(pages=[page]) for page, _ in pages],
    }
    async with await _connect(conninfo) as connection, await _connect(conninfo) as exact:
        # without index scans every vector is compared
        await exact.execute("SET enable_indexscan = off")
        compared = {name: await _compare(connection, exact, each, questions) for name, each in filters.items()}
        first = {name: await _time(connection, each, questions, Lexicon()) for name, each in filters.items()}
        lexicon = Lexicon()
        await _time(connection, filters["all"], questions, lexicon)
        again = {name: await _time(connection, each, questions, lexicon) for name, each in filters.items()}
    return {
        "recall_at_10": {name: recall for name, (recall, _) in compared.items()},
        "full_pages": {name: full for name, (_, full) in compared.items()},
        "latency_ms": {**again.pop("all"), **again},
        "latency_new_words_ms": {**first.pop("all"), **first},
    }


async def _connect(conninfo: str) -> psycopg.AsyncConnection[Any]:
    connection = await psycopg.AsyncConnection.connect(conninfo)
    await search.configure(connection)
    return connection


async def _compare(
    connection: psycopg.AsyncConnection[Any],
    exact: psycopg.AsyncConnection[Any],
    filters: Sequence[Filters],
    questions: Sequence[Asked],
) -> tuple[float, float]:
    """recall@10, and the share of questions that got as many results as there are."""
    lexicon = Lexicon()
    model = await search.active_model(connection)
    recalls, full = [], []
    for (_, vector), narrowed in zip(questions, cycle(filters), strict=False):
        query = search.Query("", vector, narrowed, TOP, half_life_hours=ALIKE_RECENT)
        found = await search.search(connection, model, query, lexicon)
        best = await search.search(exact, model, query, lexicon)
        # of several that are equally near any will do
        last = best[-1].score - 1e-6
        recalls.append(sum(one.score >= last for one in found) / len(best))
        full.append(len(found) == len(best))
    return round(float(np.mean(recalls)), 4), round(float(np.mean(full)), 4)


async def _time(
    connection: psycopg.AsyncConnection[Any], filters: Sequence[Filters], questions: Sequence[Asked], lexicon: Lexicon
) -> dict[str, float]:
    model = await search.active_model(connection)
    took = []
    for (text, vector), narrowed in zip(questions, cycle(filters), strict=False):
        begun = time.perf_counter()
        await search.search(connection, model, search.Query(text, vector, narrowed, TOP), lexicon)
        took.append((time.perf_counter() - begun) * 1000)
    p50, p95 = np.percentile(took, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
