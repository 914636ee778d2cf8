"""Topics, keys and headers of the log. Every record's key is the page key, so one page's edits stay in order."""

from dataclasses import dataclass
from typing import Final

RAW: Final = "wiki.raw"
"""value: the SSE `data` exactly as received. headers: SSE_ID, RECEIVED_AT, SOURCE."""

SILVER: Final = "wiki.silver"
"""value: JSON of `schemas.SILVER`."""

GOLD: Final = "wiki.gold"
"""value: JSON of `schemas.GOLD`, or of `schemas.DELETION`, which takes a document away. Of a document the last record
counts: all of its records have the same key."""

REJECTED: Final = "wiki.rejected"
"""A dead letter topic. value: the original bytes. headers: REASON, STAGE, ERROR, RECEIVED_AT, SOURCE and, when the
record came from the log, RAW_TOPIC, RAW_PARTITION and RAW_OFFSET; when it came from the producer, SSE_ID."""

RESUME: Final = "wiki.resume"
"""Compacted. key: the stream's identity, or BACKFILL_KEY and what a backfill reads. value: JSON of
`producer.resume.Position`: up to where all is acknowledged."""

BACKFILL_KEY: Final = "backfill:"

SSE_ID: Final = "sse-id"
RECEIVED_AT: Final = "received-at"
"""Milliseconds since the epoch, as decimal text: when the producer had the whole frame."""
SOURCE: Final = "source"
BACKFILL: Final = "backfill"
"""The source of records that were read again later: when they were received says nothing of how fresh they are."""
REASON: Final = "reason"
STAGE: Final = "stage"
ERROR: Final = "error"
RAW_TOPIC: Final = "raw-topic"
RAW_PARTITION: Final = "raw-partition"
RAW_OFFSET: Final = "raw-offset"

INDEXER_GROUP: Final = "freshet-indexer"
"""The consumer group whose lag is the lag of the index."""

CONTEXT_GROUP: Final = "freshet-context"
"""The consumer group that sees which pages are edited."""

SERVE_GROUP: Final = "freshet-serve"
LAKE_GROUP: Final = "freshet-lake"
"""Groups under which the streaming queries note on the broker how far they are. They read by their checkpoints."""


@dataclass(frozen=True)
class Topic:
    """One topic as it must exist. `partitions` is None where the setting `kafka_partitions` decides."""

    name: str
    partitions: int | None = None
    compacted: bool = False


ALL: Final = (Topic(RAW), Topic(SILVER), Topic(GOLD), Topic(REJECTED), Topic(RESUME, partitions=1, compacted=True))


def page_key(wiki: str, title: str) -> str:
    """The record key of a page: `wiki:title`."""
    return f"{wiki}:{title}"
