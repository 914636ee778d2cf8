"""Reading the real stores: topics, Delta tables, Postgres, and the stand-in event stream."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
from confluent_kafka import Message, TopicPartition
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from freshet import log
from freshet.contract import topics
from freshet.contract.rejections import Stage
from freshet.delta import UNREADABLE
from freshet.errors import PermanentError, TransientError
from freshet.settings import Settings, Source
from freshet.store import audit as store_audit
from freshet.store.removed import Event, events
from local.audit.ledger import Coordinates, Served

Cut = dict[int, int]
"""First raw offset, by partition, that is not looked at."""


class TopicReader:
    """Reads one topic from its beginning; `advance` goes on to what is the end by then."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._consumer = log.reader(settings, "freshet-audit")
        self._topic = topic
        marks = log.watermarks(self._consumer, topic)
        self.start = {number: low for number, (low, _) in marks.items()}
        self.position = dict(self.start)
        self._consumer.assign([TopicPartition(topic, number, low) for number, low in self.start.items()])

    def advance(self) -> Iterator[Message]:
        """The records that came since the last call, up to the end as it is now."""
        ends = {number: high for number, (_, high) in log.watermarks(self._consumer, self._topic).items()}
        while any(self.position[number] < end for number, end in ends.items()):
            batch = self._consumer.consume(10_000, timeout=1.0)
            for message in batch:
                if message.error() is None:
                    partition, offset = log.place(message)
                    self.position[partition] = offset + 1
                    yield message
            if not batch:
                self._skip_holes()

    def close(self) -> None:
        """Let the connection go."""
        self._consumer.close()

    def _skip_holes(self) -> None:
        """Compacted and control records leave offsets that no message has."""
        for part in self._consumer.position([TopicPartition(self._topic, number) for number in self.position]):
            self.position[part.partition] = max(self.position[part.partition], part.offset)


def served(settings: Settings) -> Served | None:
    """What the stand-in has served so far; None when the stream is the real one."""
    if settings.source not in (Source.RECORDING, Source.SIMULATED):
        return None
    base = httpx.URL(settings.stream_url).join("/-/served")
    try:
        count = httpx.get(base, timeout=10, trust_env=False).raise_for_status().json()["next"]
        lines = httpx.get(f"{base}/ids", params={"upto": count}, timeout=120, trust_env=False).raise_for_status().text
    except httpx.HTTPError as error:
        raise TransientError(f"the stand-in event stream does not answer ({error}): is the stack up?") from error
    rows = [json.loads(line) for line in lines.splitlines()]
    kinds = Counter(row["kind"] for row in rows)
    events = frozenset(row["id"] for row in rows if row["kind"] == "event")
    return Served(events, kinds["canary"], kinds["malformed"])


def table(settings: Settings, layer: str, columns: list[str]) -> list[dict[str, Any]]:
    """Columns of a layer's Delta table as rows; none when it does not exist yet."""
    try:
        found = DeltaTable(settings.lake.table(layer)).to_pyarrow_table(columns=columns)
    except TableNotFoundError:
        return []
    except UNREADABLE as error:
        what = f"{layer} cannot be read ({type(error).__name__})"
        raise PermanentError(f"{what}: `freshet mend` names the file") from error
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def below(rows: list[dict[str, Any]], cut: Cut, partition: str, offset: str) -> list[dict[str, Any]]:
    """The rows whose raw record is below the cut."""
    return [row for row in rows if row[offset] < cut.get(row[partition], 0)]


def headers(message: Message) -> dict[str, str]:
    """A record's headers as text."""
    found = message.headers() or []
    pairs = found.items() if isinstance(found, dict) else found
    return {str(name): value.decode(errors="replace") for name, value in pairs if isinstance(value, bytes)}


def dead_letter(message: Message) -> tuple[Stage, Coordinates, str]:
    """Of a rejected record: its stage; raw coordinates, or its own when the producer rejected it; its frame's name."""
    found = headers(message)
    if found.get(topics.STAGE) == Stage.PRODUCER:
        where = Coordinates(*log.place(message))
        return Stage.PRODUCER, where, f"{found.get(topics.SSE_ID)} {hash(message.value())}"
    return Stage.TRANSFORM, Coordinates(int(found[topics.RAW_PARTITION]), int(found[topics.RAW_OFFSET])), ""


def removed(settings: Settings) -> list[Event]:
    """Every event that was removed."""
    with psycopg.connect(settings.conninfo) as connection:
        return list(events(connection))


def documents(settings: Settings, cut: Cut) -> Iterator[tuple[str, bool, bool]]:
    """`(doc_id, embedded, pending)` of every document below the cut."""
    with psycopg.connect(settings.conninfo) as connection:
        for row in store_audit.documents(connection):
            if row.raw_offset < cut.get(row.raw_partition, 0):
                yield row.doc_id, row.embedded, row.pending
