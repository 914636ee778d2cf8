"""Recall and time of a search in a large store: many documents made of some real ones."""

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any, Final

import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from freshet.contract.pages import Page
from freshet.embedding import Embedder
from freshet.store import bulk, models, search
from freshet.store.embeddings import Vector, add_embedding_model
from freshet.store.filters import Filters
from freshet.store.lexicon import Lexicon
from freshet.store.repository import Document

SPAN: Final = timedelta(days=7)
SEED: Final = 1
TOP: Final = 10
MANY: Final = 10
"""So many of the largest wikis, and of the busiest pages, take turns as filters."""

ALIKE_RECENT: Final = 1e9
"""A half-life, in hours, by which age makes no difference: nearness alone is compared."""

EARNEST: Final = 20_000
AT_ONCE: Final = 2_000

Asked = tuple[str, Vector]
"""A question and its vector."""

Pair = tuple[Document, Vector]
Say = Callable[[str], None]


def mixed(pairs: Sequence[Pair], count: int, first: int, now: datetime) -> Iterator[Pair]:
    """`count` documents, with numbers from `first` on: titles of the pairs with sections and summaries of others of the
    same wiki. The vector is between those of the two. Every other time through the pairs the pages are other ones."""
    choose = random.Random(SEED)  # noqa: S311
    by_wiki: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_wiki.setdefault(pair[0]["wiki"], []).append(pair)
    for number, (titled, near) in enumerate(islice(cycle(pairs), count), first):
        said, far = choose.choice(by_wiki[titled["wiki"]])
        share = choose.uniform(0.5, 0.9)
        vector = share * near + (1 - share) * far
        text = ". ".join(filter(None, (titled["title"], said["section"], said["comment"])))
        document = {
            **titled,
            "doc_id": str(number),
            "title": titled["title"] if number // len(pairs) % 2 == 0 else f"{titled['title']} {number // len(pairs)}",
            "section": said["section"],
            "comment": said["comment"],
            "text": text,
            # a vector of its own, also where the words have come before
            "content_hash": hashlib.sha256(f"{number} {text}".encode()).hexdigest(),
            "event_time": now - SPAN * choose.random(),
            "searchable_at": now,
        }
        yield document, (vector / np.linalg.norm(vector)).astype(np.float32)


def varied(real: Sequence[Pair], count: int, embedder: Embedder, now: datetime, say: Say) -> Iterator[Pair]:
    """`count` documents over the last week: EARNEST mixed ones whose texts are embedded, and mixtures of those, whose
    vectors are not made by the model but lie between two that were."""
    texts = [document for document, _ in mixed(real, min(count, EARNEST), 0, now)]
    earnest: list[Pair] = []
    for begin in range(0, len(texts), AT_ONCE):
        batch = texts[begin : begin + AT_ONCE]
        earnest += zip(batch, embedder.embed([document["text"] for document in batch]), strict=True)
        say(f"embedded {len(earnest):,} of {len(texts):,} texts")
    yield from earnest
    yield from mixed(earnest, count - len(earnest), len(earnest), now)


def fill(conninfo: str, embedder: Embedder, real: Sequence[Pair], count: int, say: Say) -> int:
    """Make a store of so many documents in an empty, migrated database, and of their pages. Returns how many documents
    it has."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        register_vector(connection)
        table = add_embedding_model(connection, embedder.model_id, embedder.dimensions)
        loaded = bulk.load(connection, table, varied(real, count, embedder, datetime.now(UTC), say))
        say("making the vector index of its pages")
        bulk.load_pages(connection, table, models.get(connection, table.model_id).page_table)
        return loaded


async def measure(conninfo: str, real: Sequence[Pair], questions: Sequence[Asked]) -> dict[str, Any]:
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
        edits = {name: await _time(connection, each, questions, lexicon, False) for name, each in filters.items()}
    return {
        "recall_at_10": {name: recall for name, (recall, _) in compared.items()},
        "full_pages": {name: full for name, (_, full) in compared.items()},
        "latency_ms": {**again.pop("all"), **again},
        "latency_by_edits_alone_ms": {**edits.pop("all"), **edits},
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
    """recall@10 of the edits' vectors, and the share of questions that got as many results as there are."""
    lexicon = Lexicon()
    model = await search.active_model(connection)
    recalls, full = [], []
    for (_, vector), narrowed in zip(questions, cycle(filters), strict=False):
        query = search.Query("", vector, narrowed, TOP, half_life_hours=ALIKE_RECENT, by_page=False)
        found = await search.search(connection, model, query, lexicon)
        best = await search.search(exact, model, query, lexicon)
        # of several that are equally near any will do
        last = best[-1].score - 1e-6
        recalls.append(sum(one.score >= last for one in found) / len(best))
        full.append(len(found) == len(best))
    return round(float(np.mean(recalls)), 4), round(float(np.mean(full)), 4)


async def _time(
    connection: psycopg.AsyncConnection[Any],
    filters: Sequence[Filters],
    questions: Sequence[Asked],
    lexicon: Lexicon,
    by_page: bool = True,
) -> dict[str, float]:
    model = await search.active_model(connection)
    took = []
    for (text, vector), narrowed in zip(questions, cycle(filters), strict=False):
        begun = time.perf_counter()
        await search.search(connection, model, search.Query(text, vector, narrowed, TOP, by_page=by_page), lexicon)
        took.append((time.perf_counter() - begun) * 1000)
    p50, p95 = np.percentile(took, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
