"""Builders of events, and of the records that carry them."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

RECORD = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, "
    "timestampType INT, headers ARRAY<STRUCT<key: STRING, value: BINARY>>"
)
LOGGED_AT = datetime(2026, 11, 23, 10, 15, 30, 500_000, tzinfo=UTC)
RECEIVED_MS = 1_795_428_930_250


@dataclass(frozen=True)
class Record:
    """One record of the log."""

    value: bytes | None
    offset: int = 0
    partition: int = 0
    topic: str = "wiki.raw"
    key: bytes | None = b"enwiki:Page"
    headers: dict[str, bytes] | None = field(
        default_factory=lambda: {
            "sse-id": b'[{"topic":"eqiad.mediawiki.recentchange","partition":0,"timestamp":1}]',
            "received-at": str(RECEIVED_MS).encode(),
            "source": b"recording",
        }
    )

    def as_tuple(self) -> tuple[Any, ...]:
        headers = None if self.headers is None else list(self.headers.items())
        return (self.key, self.value, self.topic, self.partition, self.offset, LOGGED_AT, 0, headers)


def event(**changes: Any) -> dict[str, Any]:
    """A modern edit of an article by a registered user; `meta__dt` changes a member of `meta`, None stays null."""
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
        if member:
            made[target][member] = value
        else:
            made[target] = value
    return made


def without(made: dict[str, Any], *names: str) -> dict[str, Any]:
    """The event with these members absent; `meta__id` is a member of `meta`."""
    for name in names:
        target, _, member = name.partition("__")
        if member:
            made[target] = {key: value for key, value in made[target].items() if key != member}
        else:
            made = {key: value for key, value in made.items() if key != target}
    return made


def payload(made: Any) -> bytes:
    """As it travels."""
    return json.dumps(made, ensure_ascii=False).encode()


def raw(made: Any, offset: int = 0, partition: int = 0) -> Record:
    """A record of the raw topic."""
    return Record(payload(made), offset=offset, partition=partition)
