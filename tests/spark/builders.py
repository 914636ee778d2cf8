"""Builders of events, and of the records that carry them."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import EllipsisType
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from freshet.settings import load_settings

RULE = load_settings().document_rule
LOGGED_AT = datetime(2026, 11, 23, 10, 15, 30, 500_000, tzinfo=UTC)
"""When the broker stamped a record."""

RECEIVED_MS = 1_795_428_930_250
_COLUMNS = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, "
    "timestampType INT, headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)


@dataclass(frozen=True)
class Record:
    """One record of the log."""

    value: bytes | None
    offset: int = 0
    partition: int = 0
    topic: str = "wiki.raw"
    key: bytes | None = b"enwiki:Page"
    headers: dict[str, bytes] | list[tuple[str, bytes]] | None = field(
        default_factory=lambda: {
            "sse-id": b'[{"topic":"eqiad.mediawiki.recentchange","partition":0,"timestamp":1}]',
            "received-at": str(RECEIVED_MS).encode(),
            "source": b"recording",
        }
    )

    def as_tuple(self) -> tuple[Any, ...]:
        headers = list(self.headers.items()) if isinstance(self.headers, dict) else self.headers
        return (self.key, self.value, self.topic, self.partition, self.offset, LOGGED_AT, 0, headers)


def event(**changes: Any) -> dict[str, Any]:
    """A modern edit of an article by a registered user.

    `meta__dt` changes a member of `meta`; None stays null, and `...` leaves a member out.
    """
    made: dict[str, Any] = {
        "$schema": "/mediawiki/recentchange/1.0.1",
        "meta": {
            "uri": "https://en.wikipedia.org/wiki/Snow",
            "id": str(uuid.uuid4()),
            "dt": "2026-11-23T10:15:30.123Z",
            "domain": "en.wikipedia.org",
            "stream": "mediawiki.recentchange",
        },
        "id": 1_900_000_000,
        "type": "edit",
        "namespace": 0,
        "title": "Snow",
        "title_url": "https://en.wikipedia.org/wiki/Snow",
        "notify_url": "https://en.wikipedia.org/w/index.php?diff=200&oldid=100",
        "comment": "/* Formation */ how [[crystal|crystals]] grow",
        "parsedcomment": "<i>how crystals grow</i>",
        "user": "Ada",
        "bot": False,
        "minor": True,
        "length": {"old": 1000, "new": 1100},
        "revision": {"old": 100, "new": 200},
        "server_url": "https://en.wikipedia.org",
        "server_name": "en.wikipedia.org",
        "server_script_path": "/w",
        "wiki": "enwiki",
    }
    for name, value in changes.items():
        target, _, member = name.partition("__")
        holder, changed = (made[target], member) if member else (made, target)
        if isinstance(value, EllipsisType):
            del holder[changed]
        else:
            holder[changed] = value
    return made


def payload(made: Any) -> bytes:
    """As it travels."""
    return json.dumps(made, ensure_ascii=False).encode()


def raw(made: Any, offset: int = 0, partition: int = 0) -> Record:
    """A record of the raw topic."""
    return Record(payload(made), offset=offset, partition=partition)


def numbered(payloads: Iterable[bytes | None]) -> list[Record]:
    """Payloads as records of partition 0 of the raw topic, their offsets counted from 0."""
    return [Record(value, offset=offset) for offset, value in enumerate(payloads)]


def frame(spark: SparkSession, records: Iterable[Record]) -> DataFrame:
    """Records as the Kafka source gives them with `includeHeaders`."""
    # A list, not an Arrow table: Spark would fold a small local relation without generating the code a stream runs.
    return spark.createDataFrame([record.as_tuple() for record in records], _COLUMNS)
