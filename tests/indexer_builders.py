"""Builders for the indexer's tests: documents with defaults and embedders that do as they are told."""

import hashlib
import itertools
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from freshet.contract import schemas
from freshet.errors import FreshetError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def gold(**given: Any) -> dict[str, Any]:
    """A row of gold with its gold_at; what is not given is ordinary."""
    number = next(_numbers)
    row: dict[str, Any] = dict.fromkeys(schemas.names(schemas.GOLD))
    row |= {
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
        "raw_timestamp": NOON + timedelta(milliseconds=5),
        "transform_version": "1",
        "gold_at": NOON + timedelta(milliseconds=20),
    }
    row |= given
    row["event_id"] = row["event_id"] or row["doc_id"]
    row["text"] = row["text"] or row["title"]
    row["content_hash"] = hashlib.sha256(row["text"].encode("utf-8", "replace")).hexdigest()
    return row


class TextEmbedder:
    """A vector drawn from the text alone. Remembers what it was asked; fails with `failure` while that is set."""

    model_id = "drawn-from-text"
    dimensions = 8

    def __init__(self, failure: FreshetError | None = None, refused: str = "") -> None:
        self.failure = failure
        self.refused = refused
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked.append(list(texts))
        if self.failure and (not self.refused or self.refused in texts):
            raise self.failure
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> npt.NDArray[np.float32]:
        drawn = np.random.default_rng(zlib.crc32(text.encode())).normal(size=self.dimensions)
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)
