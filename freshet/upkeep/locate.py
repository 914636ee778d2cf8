"""Where the raw records of a replay are: asks the log for its offsets, and the lake for what it has of them."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from confluent_kafka import Consumer, KafkaException, TopicPartition
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from freshet import log
from freshet.contract import topics
from freshet.contract.rejections import Stage
from freshet.delta import UNREADABLE
from freshet.errors import PermanentError, TransientError
from freshet.settings import Settings
from freshet.upkeep.replay import CHUNK_RECORDS, Events, Kept, Offsets, Plan, Range, Request, Times, plan


def plan_replay(settings: Settings, request: Request, most: int = CHUNK_RECORDS) -> Plan:
    """The plan of a request over the log and the lake as they are now.

    Raises PermanentError when the request cannot be met, with what could be, and TransientError when the broker or the
    lake does not answer.
    """
    consumer = log.reader(settings, "freshet-replay")
    try:
        kept = watermarks(consumer)
        match request:
            case Offsets():
                asked = list(request.ranges)
            case Times():
                asked = between(consumer, kept, settings, request)
            case Events():
                asked = places(settings, request.ids)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return plan(asked, kept, in_bronze(settings), most)


def watermarks(consumer: Consumer) -> dict[int, Kept]:
    """What the log keeps of `wiki.raw`, by partition. Raises KafkaException."""
    return {number: Kept(*marks) for number, marks in log.watermarks(consumer, topics.RAW).items()}


def between(consumer: Consumer, kept: Mapping[int, Kept], settings: Settings, times: Times) -> list[Range]:
    """The records of a time: of the log by its index of times, and of bronze what the log has let go.

    Raises KafkaException, and PermanentError when there are none.
    """
    first, following = _at(consumer, kept, times.since), _at(consumer, kept, times.until)
    logged = [
        Range(number, first[number], following[number] - 1) for number in kept if first[number] < following[number]
    ]
    stamped = ds.field("kafka_timestamp")
    let_go = (
        (stamped >= times.since)
        & (stamped < times.until)
        & _any(_of(number) & (ds.field("offset") < marks.first) for number, marks in kept.items())
    )
    found = [*_spans(settings, let_go).values(), *logged]
    if not found:
        span = f"from {times.since.isoformat()} until {times.until.isoformat()}"
        raise PermanentError(f"no raw record has a time {span}; {_lake_times(settings)}")
    return found


def places(settings: Settings, event_ids: Collection[str]) -> list[Range]:
    """Where the records of these events are: those that silver was made of; of rejected ones, where they were rejected.

    Raises PermanentError that names events which the lake does not know.
    """
    columns = ["event_id", "raw_partition", "raw_offset"]
    rows = _rows(settings, "silver", columns, ds.field("event_id").isin(list(event_ids)))
    found = {row["event_id"]: Range(row["raw_partition"], row["raw_offset"], row["raw_offset"]) for row in rows}
    missing = set(event_ids) - found.keys()
    if missing:
        found |= _rejected_places(settings, missing)
    if unknown := sorted(set(event_ids) - found.keys()):
        raise PermanentError(
            f"neither silver nor rejected has {len(unknown)} of these events, such as {', '.join(unknown[:5])}; "
            f"the lake has what is older than {settings.lake_interval_s} s or so"
        )
    return list(found.values())


def in_bronze(settings: Settings) -> dict[int, Range]:
    """From where to where bronze has each partition."""
    return _spans(settings, None)


def _rejected_places(settings: Settings, event_ids: set[str]) -> dict[str, Range]:
    columns = ["partition", "offset", "payload"]
    ours = (ds.field("topic") == topics.RAW) & (ds.field("stage") == Stage.TRANSFORM.value)
    found = {}
    for row in _rows(settings, "rejected", columns, ours):
        event_id = _event_id(row["payload"])
        if event_id in event_ids:
            found[event_id] = Range(row["partition"], row["offset"], row["offset"])
    return found


def _event_id(payload: bytes | None) -> str:
    """`meta.id` of a payload that may be anything; empty when there is none."""
    try:
        event_id = json.loads(payload or b"")["meta"]["id"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""
    return event_id if isinstance(event_id, str) else ""


def _at(consumer: Consumer, kept: Mapping[int, Kept], time: datetime) -> dict[int, int]:
    """The first kept offset by partition whose record is not older; where there is none, the next offset."""
    milliseconds = round(time.timestamp() * 1000)
    asked = [TopicPartition(topics.RAW, number, milliseconds) for number in kept]
    found = consumer.offsets_for_times(asked, timeout=log.TIMEOUT_S) if asked else []
    return {part.partition: part.offset if part.offset >= 0 else kept[part.partition].following for part in found}


def _spans(settings: Settings, condition: ds.Expression | None) -> dict[int, Range]:
    """First and last offset by partition of the bronze rows that meet a condition."""
    spans: dict[int, Range] = {}
    for batch in _batches(settings, "bronze", ["partition", "offset"], condition):
        ends = pa.Table.from_batches([batch]).group_by("partition").aggregate([("offset", "min"), ("offset", "max")])
        for row in ends.to_pylist():
            span = Range(row["partition"], row["offset_min"], row["offset_max"])
            before = spans.get(span.partition, span)
            spans[span.partition] = Range(span.partition, min(before.first, span.first), max(before.last, span.last))
    return spans


def _lake_times(settings: Settings) -> str:
    ends = [
        pc.min_max(batch.column("kafka_timestamp")).as_py()
        for batch in _batches(settings, "bronze", ["kafka_timestamp"], None)
        if batch.num_rows
    ]
    if not ends:
        return "the lake has none at all"
    first, last = min(end["min"] for end in ends), max(end["max"] for end in ends)
    return f"the lake has times from {first.isoformat()} to {last.isoformat()}"


def _rows(settings: Settings, layer: str, columns: list[str], condition: ds.Expression) -> Iterator[dict[str, Any]]:
    for batch in _batches(settings, layer, columns, condition):
        yield from batch.to_pylist()


def _batches(
    settings: Settings, layer: str, columns: list[str], condition: ds.Expression | None
) -> Iterator[pa.RecordBatch]:
    """Columns of a layer's rows, a batch at a time; none when the table does not exist yet."""
    try:
        dataset = DeltaTable(settings.lake.table(layer)).to_pyarrow_dataset()
        yield from dataset.to_batches(columns=columns, filter=condition)
    except TableNotFoundError:
        return
    except UNREADABLE as error:
        raise TransientError(f"the lake cannot be read: {error}") from error


def _of(partition: int) -> ds.Expression:
    return ds.field("partition") == partition


def _any(conditions: Iterator[ds.Expression]) -> ds.Expression:
    found = next(conditions, pc.scalar(False))
    for condition in conditions:
        found = found | condition
    return found
