"""What is measured with: raw events, real ones when a recording is named, else simulated ones."""

import gzip
import json
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count, islice
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store.repository import COLUMNS, Document
from local.eventstreams import simulator
from local.eventstreams.source import iso_ms

FLUSH_EVERY = 10_000
FLUSH_TIMEOUT_S = 60


STEP_MS = 25
"""Between the times of two events: about the real stream's rate."""
BEGIN_MS_AGO = 7 * 24 * 3600 * 1000


def events(recording: Path | None) -> Iterator[dict[str, Any]]:
    """Parsed events without end, their times moved to the last week and in order, as in a backlog of the real stream.

    A recording is gone through again and again, each time with new event ids.
    """
    began = int(time.time() * 1000) - BEGIN_MS_AGO
    found = _recorded(recording) if recording else _simulated(began)
    for number, event in enumerate(found):
        moment = began + number * STEP_MS
        yield {**event, "meta": {**event["meta"], "dt": iso_ms(moment)}, "timestamp": moment // 1000}


def recorded(recording: Path | None) -> Iterator[dict[str, Any]]:
    """A recording's events, once, at the times of a backlog. Without a recording: none."""
    return islice(events(recording), len(_read(recording))) if recording else iter(())


def put_raw(settings: Settings, found: Iterable[dict[str, Any]]) -> int:
    """Write events to `wiki.raw` as the producer does. Returns how many."""
    now = str(int(time.time() * 1000)).encode()
    source = b"recording" if settings.recording else b"simulated"
    headers: list[tuple[str, bytes]] = [(topics.RECEIVED_AT, now), (topics.SOURCE, source), (topics.SSE_ID, b"")]
    producer = Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "enable.idempotence": True,
            "linger.ms": 20,
            "log_level": 3,  # it warns while the new broker loads its coordinator
        }
    )
    total = 0
    for event in found:
        producer.produce(topics.RAW, as_record(event), _key(event), headers=list(headers))
        total += 1
        if total % FLUSH_EVERY == 0:
            producer.flush()
    if left := producer.flush(FLUSH_TIMEOUT_S):
        raise PermanentError(f"the broker did not take {left} records")
    return total


def as_record(event: dict[str, Any]) -> bytes:
    """The value of an event's raw record."""
    return json.dumps(event, ensure_ascii=False).encode()


def document(doc_id: str, wiki: str, title: str, comment: str, text: str) -> Document:
    """A document that did not come through the stream; what is not given is ordinary."""
    now = datetime.now(UTC)
    return {
        **dict.fromkeys(COLUMNS),
        "doc_id": doc_id,
        "event_id": doc_id,
        "event_time": now,
        "wiki": wiki,
        "language": "en",
        "type": "edit",
        "namespace": 0,
        "title": title,
        "comment": comment,
        "text": text,
        "content_hash": sha256(text.encode()).hexdigest(),
        "user_kind": "registered",
        "quality_flags": [],
        "source": "recording",
        "received_at": now,
        "raw_topic": "",
        "raw_partition": 0,
        "raw_offset": 0,
        "raw_timestamp": now,
        "transform_version": "",
        "gold_at": now,
    }


def _recorded(recording: Path) -> Iterator[dict[str, Any]]:
    once = _read(recording)
    if not once:
        raise PermanentError(f"{recording} holds no events")
    for turn in count():
        for event in once:
            fresh = (
                event["meta"]["id"]
                if turn == 0
                else str(uuid.uuid5(uuid.NAMESPACE_OID, f"{turn}{event['meta']['id']}"))
            )
            yield {**event, "meta": {**event["meta"], "id": fresh}}


def _read(recording: Path) -> list[dict[str, Any]]:
    opened = gzip.open if recording.suffix == ".gz" else open
    with opened(recording, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _simulated(began: int) -> Iterator[dict[str, Any]]:
    for number in count():
        try:
            event = json.loads(simulator.entry(number, seed=1, timestamp_ms=began + number * STEP_MS))
        except ValueError:
            continue  # the simulator's malformed frames are no events
        if isinstance(event, dict) and event.get("meta", {}).get("domain") != "canary":
            yield event


def _key(event: dict[str, Any]) -> bytes:
    return topics.page_key(str(event.get("wiki", "")), str(event.get("title", ""))).encode()
