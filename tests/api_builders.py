"""Builders for the API's tests: documents with defaults, an embedder without a model, an application."""

import hashlib
import itertools
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from pgvector import HalfVector
from psycopg import sql

from freshet.contract import schemas
from freshet.store.search import Found

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
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


def document(**given: Any) -> dict[str, Any]:
    """A row of documents; what is not given is ordinary."""
    number = next(_counter)
    row: dict[str, Any] = {name: None for name in schemas.names(schemas.GOLD)} | {
        "doc_id": f"doc-{number}",
        "event_time": NOON,
        "wiki": "enwiki",
        "language": "en",
        "type": "edit",
        "namespace": 0,
        "title": f"Page {number}",
        "comment": "",
        "user_kind": "registered",
        "quality_flags": [],
        "source": "recording",
        "received_at": NOON,
        "raw_topic": "wiki.raw",
        "raw_partition": 0,
        "raw_offset": number,
        "raw_timestamp": NOON,
        "transform_version": "1",
    }
    row |= {"gold_at": NOON + timedelta(seconds=1), "searchable_at": NOON + timedelta(seconds=2)}
    row |= given
    row["event_id"] = row["event_id"] or row["doc_id"]
    row["text"] = row["text"] or "\n".join(filter(None, (row["title"], row["section"], row["comment"])))
    row["content_hash"] = hashlib.sha256(row["text"].encode()).hexdigest()
    return row


def insert(conninfo: str, *documents: dict[str, Any], like: dict[str, str] | None = None) -> None:
    """Insert documents with their embeddings. `like` says by doc_id which other text a document is near to in
    meaning; a document whose doc_id is there with an empty text has its embedding still pending."""
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
        "cosine": 0.9,
        "words_rank": 0.1,
        "coverage": 1.0,
        "score": 0.03,
    }
    return Found(**(values | given))
