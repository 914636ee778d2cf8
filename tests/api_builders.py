"""Builders for the API's tests: an embedder without a model, documents in the store, what a search finds."""

import itertools
import time
import zlib
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import psycopg
from pgvector import HalfVector
from psycopg import sql

from api.answers.evidence import Evidence, citation
from api.answers.extractive import Cited
from api.answers.searched import Searched
from api.models.answers import AskIn, Turn
from freshet.store.lookup import Extent, Newest
from freshet.store.search import Found
from tests.documents import NOON

_counter = itertools.count(1)


class BagOfWords:
    """Texts are near when they share words: enough of an embedder, and the same everywhere."""

    model_id = "bag-of-words"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                row[zlib.crc32(word.encode()) % self.dimensions] += 1
        return vectors / np.maximum(1.0, np.linalg.norm(vectors, axis=1, keepdims=True))


def insert(
    conninfo: str, *documents: dict[str, Any], like: dict[str, str] | None = None, analyze: bool = False
) -> None:
    """Insert documents with their embeddings. `like` says by doc_id which other text a document is near to in
    meaning; a document whose doc_id is there with an empty text has its embedding still pending. `analyze` counts how
    common each word is."""
    model = BagOfWords()
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT add_embedding_model(%s, %s, 'active')", (model.model_id, model.dimensions)
        ).fetchone()
        assert row is not None
        for one in documents:
            connection.execute(
                sql.SQL("INSERT INTO documents ({}) VALUES ({})").format(
                    sql.SQL(", ").join(map(sql.Identifier, one)), sql.SQL(", ").join(map(sql.Placeholder, one))
                ),
                one,
            )
            text = (like or {}).get(one["doc_id"], one["text"])
            if text:
                connection.execute(
                    sql.SQL("INSERT INTO {} VALUES (%s, %s::halfvec) ON CONFLICT DO NOTHING").format(
                        sql.Identifier(row[0])
                    ),
                    (one["content_hash"], HalfVector(model.embed([text])[0]).to_text()),
                )
        connection.execute(
            "INSERT INTO lexemes SELECT DISTINCT lexemes_of(language, words) FROM documents ON CONFLICT DO NOTHING"
        )
        if analyze:
            connection.execute("ANALYZE documents")


def found(**given: Any) -> Found:
    """A search result; what is not given is ordinary and supports an answer."""
    number = next(_counter)
    values: dict[str, Any] = {
        "doc_id": f"doc-{number}",
        "event_id": f"doc-{number}",
        "title": f"Page {number}",
        "wiki": "enwiki",
        "language": "en",
        "section": None,
        "comment": "updated figures",
        "text": "text",
        "event_time": NOON,
        "user_kind": "registered",
        "bytes_delta": 120,
        "page_url": "https://en.wikipedia.org/wiki/Page",
        "diff_url": "https://en.wikipedia.org/w/index.php?diff=1",
        "revert_kind": None,
        "source": "recording",
        "page_item_id": None,
        "user_name": None,
        "page_label": None,
        "page_description": None,
        "page_origin": None,
        "cosine": 0.9,
        "page_cosine": None,
        "coverage": 1.0,
        "reverted": False,
        "score": 1.3,
        "others": [],
    }
    return Found(**(values | given))


def described_as(label: str | None, description: str | None, origin: str = "Wikidata") -> dict[str, Any]:
    """The fields of `found` that say what its page is."""
    return {"page_item_id": "Q1", "page_label": label, "page_description": description, "page_origin": origin}


def evidence(*edits: Found, question: str = "What is changing?", conversation: Sequence[Turn] = ()) -> Evidence:
    """What an answer about these edits is made of."""
    cited = [Cited(n, one) for n, one in enumerate(edits, 1)]
    return Evidence(
        answer_id=uuid4(),
        asked_at=NOON,
        asked=AskIn(question=question),
        conversation=list(conversation),
        cited=cited,
        sources=[citation(one, NOON) for one in cited],
        searched=Searched(Extent(len(edits), NOON, NOON, ["recording"]), (), None, NOON),
        window=None,
        newest=Newest(NOON, NOON),
        degraded={},
        begun=time.perf_counter(),
        retrieval_ms=0.0,
    )
