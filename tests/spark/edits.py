"""Edits as the stream sends them today, and the Kafka records that carry them."""

import copy
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import EllipsisType
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from freshet.contract import topics
from freshet.contract.documents import DocumentRule

RULE = DocumentRule((0,), ("*wiki", "!wikidatawiki", "!commonswiki", "!test*wiki"))

STAMPED = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
"""When the broker stamped a record."""

HEADERS = (("sse-id", b'[{"topic":"t"}]'), ("received-at", b"1795435200123"), ("source", b"recording"))
"""1795435200123 is 2026-11-23T12:00:00.123Z."""

_KAFKA = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, timestampType INT, "
    "headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)
_MODERN: dict[str, Any] = {
    "$schema": "/mediawiki/recentchange/1.0.0",
    "meta": {
        "uri": "https://en.wikipedia.org/wiki/Moon",
        "request_id": "11111111-2222-3333-4444-555555555555",
        "id": "e1",
        "domain": "en.wikipedia.org",
        "stream": "mediawiki.recentchange",
        "dt": "2026-11-23T11:59:59.500Z",
        "topic": "codfw.mediawiki.recentchange",
        "partition": 0,
        "offset": 77,
    },
    "id": 2_000_000_001,
    "type": "edit",
    "namespace": 0,
    "title": "Moon",
    "title_url": "https://en.wikipedia.org/wiki/Moon",
    "comment": "/* Orbit */ nearer than it looks",
    "timestamp": 1795435199,
    "user": "Selene",
    "bot": False,
    "notify_url": "https://en.wikipedia.org/w/index.php?diff=1002&oldid=1001",
    "minor": False,
    "patrolled": True,
    "length": {"old": 4000, "new": 4100},
    "revision": {"old": 1001, "new": 1002},
    "server_url": "https://en.wikipedia.org",
    "server_name": "en.wikipedia.org",
    "server_script_path": "/w",
    "wiki": "enwiki",
    "parsedcomment": '<span class="autocomment">Orbit</span> nearer than it looks',
}

Row = tuple[Any, ...]
"""One Kafka record, in the order of the connector's columns."""


def event(**given: Any) -> dict[str, Any]:
    """A modern edit. A dict is laid over the member's own, any other value replaces it, `...` leaves it out."""
    return _laid_over(copy.deepcopy(_MODERN), given)


def payload(**given: Any) -> bytes:
    """The JSON of `event`."""
    return json.dumps(event(**given), ensure_ascii=False).encode()


def record(
    value: bytes | None,
    offset: int = 0,
    *,
    partition: int = 0,
    topic: str = topics.RAW,
    headers: Sequence[tuple[str, bytes]] | None = HEADERS,
) -> Row:
    """A record of the raw topic."""
    return (b"enwiki:Moon", value, topic, partition, offset, STAMPED, 0, headers)


def frame(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    """Records as the Kafka source gives them with `includeHeaders`."""
    # A list, not an Arrow table: Spark would fold a small local relation without generating the code a stream runs.
    return spark.createDataFrame(list(rows), _KAFKA)


def raw(spark: SparkSession, payloads: Iterable[bytes | None]) -> DataFrame:
    """Payloads as records of partition 0 of the raw topic, their offsets counted from 0."""
    return frame(spark, (record(value, offset) for offset, value in enumerate(payloads)))


def _laid_over(under: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if isinstance(value, EllipsisType):
            under.pop(name, None)
        elif isinstance(value, dict) and isinstance(under.get(name), dict):
            under[name] = _laid_over(under[name], value)
        else:
            under[name] = value
    return under
