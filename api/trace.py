"""Following a document back: silver and bronze in the lake, the raw record in the log, by coordinates it carries."""

import base64
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import pyarrow.dataset as ds
from anyio import CapacityLimiter, create_task_group, move_on_after, to_thread
from confluent_kafka import KafkaException, Message, TopicPartition
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from api.models.pages import TracedPage, page_out
from api.models.traces import Layer, Raw
from freshet import log
from freshet.addresses import masked, without_addresses
from freshet.delta import UNREADABLE
from freshet.settings import Settings
from freshet.store.lookup import KnownPage

KAFKA_TIMEOUT_S: Final = 5.0
TIMEOUT_S: Final = 10.0
Lookup = Callable[[Settings, Mapping[str, Any]], Any]


async def trace(settings: Settings, gold: Mapping[str, Any], limiter: CapacityLimiter) -> tuple[Layer, Layer, Raw]:
    """Silver, bronze and raw record of a gold row. What cannot be had says why in its status; nothing is raised."""
    late = Layer(status=f"did not answer within {TIMEOUT_S:.0f} s")
    got: dict[str, Any] = {}

    async def look(name: str, lookup: Lookup) -> None:
        got[name] = await to_thread.run_sync(lookup, settings, gold, abandon_on_cancel=True, limiter=limiter)

    with move_on_after(TIMEOUT_S):
        async with create_task_group() as group:
            for name, lookup in (("silver", silver), ("bronze", bronze), ("kafka", kafka)):
                group.start_soon(look, name, lookup)
    in_bronze: Layer = got.get("bronze", late)
    message, status = got.get("kafka", (None, late.status))
    return got.get("silver", late), in_bronze, raw(gold, message, status, in_bronze)


def silver(settings: Settings, gold: Mapping[str, Any]) -> Layer:
    """The silver row: by its time, so that files of other times are skipped, and by its id."""
    a_while = timedelta(seconds=1)
    near = (ds.field("event_time") >= gold["event_time"] - a_while) & (
        ds.field("event_time") <= gold["event_time"] + a_while
    )
    found = _layer(settings, "silver", near & (ds.field("event_id") == gold["event_id"]))
    return found.model_copy(update={"row": without_addresses(found.row)}) if found.row else found


def bronze(settings: Settings, gold: Mapping[str, Any]) -> Layer:
    """The bronze row: by the day it is partitioned by, and by coordinates."""
    found = _layer(
        settings,
        "bronze",
        (ds.field("ingest_date") == gold["raw_timestamp"].date())
        & (ds.field("topic") == gold["raw_topic"])
        & (ds.field("partition") == gold["raw_partition"])
        & (ds.field("offset") == gold["raw_offset"]),
    )
    if found.row:
        found.row["value"], found.row["value_encoding"] = readable(found.row["value"])
        found.row["key"] = masked(found.row.get("key") or "")
    return found


def kafka(settings: Settings, gold: Mapping[str, Any]) -> tuple[Message | None, str]:
    """The raw record as the log has it, and a status."""
    place = TopicPartition(gold["raw_topic"], gold["raw_partition"], gold["raw_offset"])
    consumer = log.reader(settings, group="freshet-trace")
    try:
        first, following = consumer.get_watermark_offsets(place, timeout=KAFKA_TIMEOUT_S)
        if not first <= place.offset < following:
            return None, f"the log keeps offsets {first} to {following - 1} only"
        consumer.assign([place])
        message = _read(lambda: consumer.poll(0.2), time.monotonic() + KAFKA_TIMEOUT_S)
    except KafkaException as error:
        return None, f"Kafka does not answer: {error.args[0].str()}"
    finally:
        consumer.close()
    if message is None:
        return None, f"Kafka gave no record within {KAFKA_TIMEOUT_S:.0f} s"
    # After a broker was made anew its offsets begin again; its timestamp tells the records apart.
    if message.offset() != place.offset or abs(message.timestamp()[1] - _milliseconds(gold["raw_timestamp"])) > 1:
        return None, "the log holds another record at these coordinates"
    return message, "found"


def raw(gold: Mapping[str, Any], message: Message | None, status: str, in_bronze: Layer) -> Raw:
    """The record from the log or, past its retention, from bronze."""
    payload: str | None = None
    encoding: Literal["utf-8", "base64"] | None = None
    found_in: Literal["kafka", "bronze"] | None = None
    headers: dict[str, str] = {}
    if message is not None:
        payload, encoding = readable(message.value() or b"")
        headers = _headers(message)
        found_in = "kafka"
    elif in_bronze.row is not None:
        payload, encoding = in_bronze.row["value"], in_bronze.row["value_encoding"]
        found_in = "bronze"
    return Raw(
        topic=gold["raw_topic"],
        partition=gold["raw_partition"],
        offset=gold["raw_offset"],
        timestamp=gold["raw_timestamp"],
        headers=headers,
        payload=payload,
        encoding=encoding,
        found_in=found_in,
        status=status,
    )


def traced_page(page: KnownPage | None) -> TracedPage:
    """What is known of a document's page, and how it came to be known."""
    if page is None:
        return TracedPage(status="no edit of it was noted yet", known=None)
    known = page_out(page.item_id, page.label, page.description, page.origin)
    return TracedPage(
        status=_page_status(page),
        known=known,
        fetched_at=page.fetched_at,
        stale=page.stale,
        waiting_since=page.waiting_since,
        attempts=page.attempts,
        error=page.error,
        moved_to=page.moved_to,
    )


def _page_status(page: KnownPage) -> str:
    if page.fetched_at is None and page.waiting_since is None:
        return "deleted: it is asked about again when it is edited"
    if page.fetched_at is None:
        return "could not be asked about yet" if page.error else "waits to be asked about"
    return "known" if page.item_id else "nothing is known of it"


def readable(payload: bytes) -> tuple[str, Literal["utf-8", "base64"]]:
    """Bytes as text without people's addresses, or as base64 when they are not UTF-8."""
    try:
        return masked(payload.decode()), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode("ascii"), "base64"


def _read(poll: Callable[[], Message | None], deadline: float) -> Message | None:
    while time.monotonic() < deadline:
        message = poll()
        if message is not None and message.error() is None:
            return message
    return None


def _layer(settings: Settings, layer: str, condition: ds.Expression) -> Layer:
    not_yet = f"not yet in the lake, which commits every {settings.lake_interval_s} s"
    try:
        table = DeltaTable(settings.lake.table(layer))
        rows = table.to_pyarrow_dataset().to_table(filter=condition).to_pylist()
    except TableNotFoundError:
        return Layer(status=not_yet)
    except UNREADABLE as error:
        return Layer(status=f"the lake cannot be read: {type(error).__name__} (`freshet mend` names what is damaged)")
    return Layer(status="found", row=rows[0]) if rows else Layer(status=not_yet)


def _headers(message: Message) -> dict[str, str]:
    pairs = dict(message.headers() or [])
    return {str(name): value.decode(errors="replace") for name, value in pairs.items() if isinstance(value, bytes)}


def _milliseconds(when: datetime) -> int:
    return round(when.timestamp() * 1000)
