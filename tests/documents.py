"""Builders of gold's rows and of the store's documents; what is not given is ordinary."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from freshet.contract import schemas

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def gold(**given: Any) -> dict[str, Any]:
    """A row of gold with its gold_at."""
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
    row["text"] = row["text"] or "\n".join(filter(None, (row["title"], row["section"], row["comment"])))
    row["content_hash"] = hashlib.sha256(row["text"].encode("utf-8", "replace")).hexdigest()
    return row


def document(**given: Any) -> dict[str, Any]:
    """A row of documents: a row of gold that became searchable."""
    return gold(**{"searchable_at": NOON + timedelta(seconds=2), **given})
