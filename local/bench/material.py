"""What is measured with: raw events and gold documents, real ones when a recording is named, else simulated ones."""

import gzip
import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from freshet.contract import schemas, topics
from freshet.errors import PermanentError
from freshet.settings import Settings
from local.eventstreams import simulator


def events(recording: Path | None, wanted: int) -> Iterator[dict[str, Any]]:
    """`wanted` parsed events. A recording that has fewer is gone through again, each time with new event ids."""
    yield from islice(_recorded(recording) if recording else _simulated(), wanted)


def put_raw(settings: Settings, found: Iterable[dict[str, Any]]) -> int:
    """Write events to `wiki.raw` as the producer does. Returns how many."""
    now = str(int(time.time() * 1000)).encode()
    source = b"recording" if settings.recording else b"simulated"
    headers: list[tuple[str, bytes]] = [(topics.RECEIVED_AT, now), (topics.SOURCE, source), (topics.SSE_ID, b"")]
    rows = ((_key(event), json.dumps(event, ensure_ascii=False).encode()) for event in found)
    return _put(settings, topics.RAW, rows, headers)


def put_gold(settings: Settings, found: Iterable[dict[str, Any]]) -> int:
    """Write a document for each event to `wiki.gold`. Returns how many."""
    rows = ((_key(event), json.dumps(document(event, number)).encode()) for number, event in enumerate(found))
    return _put(settings, topics.GOLD, rows, [])


def is_content_edit(event: dict[str, Any]) -> bool:
    """Whether a document can be made of it: the measurement wants texts of the kind that gold has."""
    return event.get("type") in ("edit", "new") and event.get("namespace") == 0 and not event.get("bot")


def document(event: dict[str, Any], offset: int) -> dict[str, Any]:
    """A row of gold for an event, with its summary as it came; every column of the schema is there."""
    text = f"{event['title']}. {event.get('comment') or ''}".strip()
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    known = {
        "doc_id": event["meta"]["id"], "event_id": event["meta"]["id"], "event_time": now, "wiki": event["wiki"],
        "type": event["type"], "namespace": 0, "title": event["title"], "comment": event.get("comment") or "",
        "text": text, "content_hash": hashlib.sha256(text.encode()).hexdigest(), "user_kind": "registered",
        "quality_flags": [], "source": "simulated", "received_at": now, "raw_topic": topics.RAW, "raw_partition": 0,
        "raw_offset": offset, "raw_timestamp": now, "transform_version": schemas.TRANSFORM_VERSION,
    }  # fmt: skip
    return {name: known.get(name) for name in schemas.names(schemas.GOLD)}


def _recorded(recording: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if recording.suffix == ".gz" else open
    with opened(recording, "rt", encoding="utf-8") as file:
        once = [json.loads(line) for line in file if line.strip()]
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


def _simulated() -> Iterator[dict[str, Any]]:
    started = int(time.time() * 1000)
    for number in count():
        try:
            event = json.loads(simulator.entry(number, seed=1, timestamp_ms=started + number))
        except ValueError:
            continue  # the simulator's malformed frames are no events
        if isinstance(event, dict) and event.get("meta", {}).get("domain") != "canary":
            yield event


def _key(event: dict[str, Any]) -> bytes:
    return topics.page_key(str(event.get("wiki", "")), str(event.get("title", ""))).encode()


def _put(settings: Settings, topic: str, rows: Iterable[tuple[bytes, bytes]], headers: list[tuple[str, bytes]]) -> int:
    producer = Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "enable.idempotence": True,
            "linger.ms": 20,
            "log_level": 3,  # it warns while the new broker loads its coordinator
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    total = 0
    for key, value in rows:
        producer.produce(topic, value, key, headers=list(headers))
        total += 1
        if total % 10_000 == 0:
            producer.flush()
    left = producer.flush(60)
    if left:
        raise PermanentError(f"the broker did not take {left} records of {topic}")
    return total
