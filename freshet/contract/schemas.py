"""The schemas of the lake's layers and of the topics' JSON, said once.

Types are Spark SQL types. Timestamps are UTC; in JSON they read `2026-11-23T10:15:30.123Z`.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

TIMESTAMP_FORMAT: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSX"
"""How a timestamp is written in the JSON of silver and gold (Spark's pattern letters)."""

TRANSFORM_VERSION: Final = "1"
"""Raised whenever a transform gives another result for the same input."""


class Field(NamedTuple):
    """One column: its name, its Spark SQL type, and what it holds."""

    name: str
    type: str
    about: str


def ddl(fields: Iterable[Field]) -> str:
    """The schema as a Spark DDL string."""
    return ", ".join(f"`{field.name}` {field.type}" for field in fields)


def names(fields: Iterable[Field]) -> tuple[str, ...]:
    """The column names, in order."""
    return tuple(field.name for field in fields)


LINEAGE: Final = (
    Field("source", "STRING", "live, recording, simulated or backfill"),
    Field("received_at", "TIMESTAMP", "when the producer had the whole frame"),
    Field("raw_topic", "STRING", "topic of the raw record"),
    Field("raw_partition", "INT", "partition of the raw record"),
    Field("raw_offset", "BIGINT", "offset of the raw record"),
    Field("raw_timestamp", "TIMESTAMP", "the broker's timestamp of the raw record"),
)

BRONZE: Final = (
    Field("topic", "STRING", "topic of the record"),
    Field("partition", "INT", "partition of the record"),
    Field("offset", "BIGINT", "offset of the record; with topic and partition the key of bronze"),
    Field("kafka_timestamp", "TIMESTAMP", "the broker's timestamp"),
    Field("key", "STRING", "the page key, wiki:title"),
    Field("value", "BINARY", "the payload exactly as received"),
    Field("sse_id", "STRING", "the SSE id of the frame"),
    Field("received_at", "TIMESTAMP", "when the producer had the whole frame"),
    Field("source", "STRING", "live, recording, simulated or backfill"),
    Field("ingest_date", "DATE", "day of kafka_timestamp; the table is partitioned by it"),
)

SILVER: Final = (
    Field("event_id", "STRING", "meta.id; the key of silver"),
    Field("event_time", "TIMESTAMP", "meta.dt"),
    Field("wiki", "STRING", "database name, such as enwiki"),
    Field("domain", "STRING", "host name, such as en.wikipedia.org"),
    Field("language", "STRING", "first label of the domain for projects that have one, else null"),
    Field("type", "STRING", "edit, new, log, categorize, external, or a number as text"),
    Field("namespace", "INT", "namespace of the page; -1 for special pages; null when absent"),
    Field("title", "STRING", "full page name"),
    Field("user_name", "STRING", "name or address of who did it"),
    Field("user_kind", "STRING", "registered, temporary, ip or bot; null when absent"),
    Field("minor", "BOOLEAN", "marked as minor"),
    Field("comment", "STRING", "the edit summary as plain text, its section split off"),
    Field("section", "STRING", "the section named in the summary, else null"),
    Field("bytes_old", "BIGINT", "length before, bytes"),
    Field("bytes_new", "BIGINT", "length after, bytes"),
    Field("bytes_delta", "BIGINT", "bytes_new - bytes_old; for a new page bytes_new"),
    Field("revision_id", "BIGINT", "revision made by the edit"),
    Field("parent_revision_id", "BIGINT", "revision before the edit"),
    Field("page_url", "STRING", "link to the page"),
    Field("diff_url", "STRING", "link to the exact change"),
    Field("revert_kind", "STRING", "undo, rollback or restore; null when the summary names none"),
    Field("reverted_user", "STRING", "whose edit is undone, as the summary says"),
    Field("reverted_revision_id", "BIGINT", "which revision is undone, as the summary says"),
    Field("restored_revision_id", "BIGINT", "which revision is restored, as the summary says"),
    Field("log_type", "STRING", "log_type of a log event"),
    Field("log_action", "STRING", "log_action of a log event"),
    *LINEAGE,
    Field("transform_version", "STRING", "version of the transform that made the row"),
)

GOLD: Final = (
    Field("doc_id", "STRING", "the key of gold: one document an event, so equal to event_id"),
    Field("event_id", "STRING", "the silver row it was made from"),
    Field("event_time", "TIMESTAMP", "meta.dt"),
    Field("wiki", "STRING", "database name, such as enwiki"),
    Field("language", "STRING", "language of the wiki, null when it has none"),
    Field("type", "STRING", "edit or new"),
    Field("namespace", "INT", "namespace of the page"),
    Field("title", "STRING", "full page name"),
    Field("section", "STRING", "section named in the summary, else null"),
    Field("comment", "STRING", "the edit summary as plain text"),
    Field("text", "STRING", "the text to embed: title, section and summary"),
    Field("content_hash", "STRING", "sha256 of text, hexadecimal; an embedding is made once per hash and model"),
    Field("user_name", "STRING", "name or address of who did it"),
    Field("user_kind", "STRING", "registered, temporary or ip"),
    Field("minor", "BOOLEAN", "marked as minor"),
    Field("bytes_delta", "BIGINT", "change of length, bytes"),
    Field("revision_id", "BIGINT", "revision made by the edit"),
    Field("parent_revision_id", "BIGINT", "revision before the edit"),
    Field("page_url", "STRING", "link to the page"),
    Field("diff_url", "STRING", "link to the exact change"),
    Field("quality_flags", "ARRAY<STRING>", "no_summary, automatic_summary, large_removal, blanked"),
    Field("revert_kind", "STRING", "undo, rollback or restore; null when the summary names none"),
    Field("reverted_user", "STRING", "whose edit is undone"),
    Field("reverted_revision_id", "BIGINT", "which revision is undone"),
    Field("restored_revision_id", "BIGINT", "which revision is restored"),
    *LINEAGE,
    Field("transform_version", "STRING", "version of the transform that made the row"),
)

DELETION: Final = (
    Field("doc_id", "STRING", "the document that is no more"),
    Field("deleted", "BOOLEAN", "true; a document has no such member"),
    Field("raw_topic", "STRING", "topic of the raw record it was made from"),
    Field("raw_partition", "INT", "partition of the raw record"),
    Field("raw_offset", "BIGINT", "offset of the raw record"),
    Field("transform_version", "STRING", "version of the transform that makes no document of it"),
)

REMOVAL: Final = (
    Field("removal", "STRING", "page or revision: what a log event hides; a document has no such member"),
    Field("hides", "BOOLEAN", "true; false where what was hidden may be shown again; null when the event does not say"),
    Field("event_id", "STRING", "meta.id of the log event"),
    Field("event_time", "TIMESTAMP", "meta.dt of the log event: what came later is not meant"),
    Field("wiki", "STRING", "database name, such as enwiki"),
    Field("title", "STRING", "full page name"),
    Field("revision_ids", "ARRAY<BIGINT>", "the revisions meant; null for a page, and when the event does not say"),
    Field("raw_topic", "STRING", "topic of the raw record of the log event"),
    Field("raw_partition", "INT", "partition of that record"),
    Field("raw_offset", "BIGINT", "offset of that record"),
    Field("transform_version", "STRING", "version of the transform that read it"),
)

REJECTED: Final = (
    Field("topic", "STRING", "topic of the rejected record"),
    Field("partition", "INT", "partition of the rejected record"),
    Field("offset", "BIGINT", "offset of the rejected record; with topic and partition the key of rejected"),
    Field("kafka_timestamp", "TIMESTAMP", "the broker's timestamp"),
    Field("stage", "STRING", "producer or transform"),
    Field("reason", "STRING", "one of rejections.Reason"),
    Field("error", "STRING", "the detail of the reason"),
    Field("payload", "BINARY", "the original bytes"),
    Field("received_at", "TIMESTAMP", "when the producer had the whole frame"),
    Field("source", "STRING", "live, recording, simulated or backfill"),
)
