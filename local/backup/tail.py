"""The end of the log in a backup: records exactly as they are, a Parquet file a topic, ordered by their places."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import KafkaException, Message, TopicPartition

from freshet import log
from freshet.errors import PermanentError, TransientError
from freshet.offsets import is_end
from freshet.settings import Settings

ROWS: Final = 5_000
SCHEMA: Final = pa.schema([
    ("partition", pa.int32()),
    ("offset", pa.int64()),
    ("timestamp_ms", pa.int64()),
    ("key", pa.binary()),
    ("value", pa.binary()),
    ("headers", pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())]))),
])  # fmt: skip


class Record(NamedTuple):
    """One record of a topic. `headers` are names and values in their order."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def records(settings: Settings, topic: str, spans: Mapping[int, range]) -> Iterator[Record]:
    """The records of a topic at these offsets, partition by partition.

    Raises TransientError when the broker does not answer.
    """
    consumer = log.reader(settings, "freshet-backup", log.SOON)
    try:
        for number, span in sorted(spans.items()):
            if not span:
                continue
            consumer.assign([TopicPartition(topic, number, span.start)])
            for message in iter(lambda: consumer.poll(log.TIMEOUT_S), None):
                if message.error() is None and message.offset() in span:
                    yield _record(message)
                # The end also comes when what was last in the span is no record.
                if is_end(message.error()) or (message.offset() or 0) >= span.stop - 1:
                    break
                if message.error() is not None:
                    raise KafkaException(message.error())
            else:
                raise TransientError(f"no answer from {settings.bootstrap_servers} while reading {topic}")
    except KafkaException as error:
        raise TransientError(f"cannot read {topic}: {error.args[0].str()}") from error
    finally:
        consumer.close()


def save(settings: Settings, topic: str, spans: Mapping[int, range], file: Path, *, whole: bool = True) -> int:
    """Write the records of a topic at these offsets to a file. Returns how many there were.

    Raises PermanentError when records are missing among them, unless they need not be `whole`.
    """
    rows = records(settings, topic, spans)
    count = 0
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        while batch := [row._asdict() for row in islice(rows, ROWS)]:
            for row in batch:
                row["headers"] = [{"name": name, "value": value} for name, value in row["headers"]]
            writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
            count += len(batch)
    if whole and (lacking := sum(map(len, spans.values())) - count):
        raise PermanentError(
            f"{lacking} offsets at the end of {topic} have no record: this log cannot be rebuilt exactly"
        )
    return count


def saved(file: Path) -> Iterator[Record]:
    """The records of a file that `save` wrote."""
    for batch in pq.ParquetFile(file).iter_batches(batch_size=ROWS):
        for row in batch.to_pylist():
            yield _row(row)


def last(file: Path) -> dict[int, Record]:
    """The last record of each partition in such a file."""
    return {record.partition: record for record in saved(file)}


def _row(row: dict[str, Any]) -> Record:
    headers = tuple((header["name"], header["value"]) for header in row["headers"])
    return Record(**{**row, "headers": headers})


def _record(message: Message) -> Record:
    found = message.headers() or []
    pairs = found.items() if isinstance(found, dict) else found
    headers = tuple((name, value.encode() if isinstance(value, str) else value) for name, value in pairs)
    key, value = message.key(), message.value()
    place = log.place(message)
    return Record(*place, message.timestamp()[1], _bytes(key), _bytes(value), headers)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
