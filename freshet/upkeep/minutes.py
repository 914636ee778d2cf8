"""Events by minute, counted in bronze without a JVM: the minute is that of the event stream, not of the arrival."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from freshet.contract import topics
from freshet.delta import UNREADABLE
from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.upkeep import lake_files
from freshet.upkeep.gaps import MINUTE_MS, Counts
from freshet.upkeep.interval import milliseconds

COLUMNS = ("partition", "sse_id", "kafka_timestamp", "source")


def counted(settings: Settings, now: datetime) -> Counts:
    """The events of the last hours that gaps are looked for in.

    They begin behind the first record that bronze ever got, and end where the lake is: before the minute up to which it
    has the live records of every partition. A record that names no time counts when it arrived. Raises TransientError.
    """
    since = now - timedelta(hours=settings.gap_lookback_hours)
    by_minute: Counter[int] = Counter()
    newest: dict[int, int] = {}
    try:
        table = DeltaTable(settings.lake.table("bronze"))
        begun = min((file["min.kafka_timestamp"] for file in lake_files.files(table)), default=now)
        for batch in _recent(table, since):
            minutes = _minutes(batch)
            by_minute.update({row["values"]: row["counts"] for row in pc.value_counts(minutes).to_pylist()})
            for partition, minute in _newest(batch, minutes):
                newest[partition] = max(minute, newest.get(partition, minute))
    except TableNotFoundError:
        begun = now
    except UNREADABLE as error:
        raise TransientError(f"the lake cannot be read: {error}") from error
    first = -(-milliseconds(max(since, begun)) // MINUTE_MS)
    following = min([milliseconds(now) // MINUTE_MS, *newest.values()]) if newest else first
    return Counts(by_minute, first, max(first, following))


def _recent(table: DeltaTable, since: datetime) -> Iterator[pa.RecordBatch]:
    # what happened since then arrived since then; the day alone spares the files of all others
    recent = (ds.field("ingest_date") >= since.date()) & (ds.field("kafka_timestamp") >= since)
    for batch in table.to_pyarrow_dataset().to_batches(columns=list(COLUMNS), filter=recent):
        if batch.num_rows:
            yield batch


def _minutes(batch: pa.RecordBatch) -> pa.Array:
    """The minute of each record: of an id with two topics the later one, as that is the topic that spoke."""
    arrived = pc.cast(pc.cast(batch["kafka_timestamp"], pa.timestamp("ms", "UTC"), safe=False), pa.int64())
    times = [
        pc.cast(pc.struct_field(pc.extract_regex(batch["sse_id"], pattern), "ms"), pa.int64())
        for pattern in (r'"timestamp": ?(?P<ms>\d{1,15})', r'(?s).*"timestamp": ?(?P<ms>\d{1,15})')
    ]
    return pc.divide(pc.coalesce(pc.max_element_wise(*times), arrived), MINUTE_MS)


def _newest(batch: pa.RecordBatch, minutes: pa.Array) -> Iterator[tuple[int, int]]:
    """The newest minute of each partition, of records that were received as they happened."""
    of = pa.table({"partition": batch["partition"], "minute": minutes})
    live = of.filter(pc.not_equal(batch["source"], topics.BACKFILL))
    for row in live.group_by("partition").aggregate([("minute", "max")]).to_pylist():
        yield row["partition"], row["minute_max"]
