"""Damaged events through the transforms, as the stream and the lake apply them."""

import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from freshet.contract import topics
from freshet.contract.rejections import Reason
from freshet.settings import Settings
from spark_jobs.serve import outgoing
from spark_jobs.session import spark_session
from spark_jobs.transforms.parse import CANARY, VALID, parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import events
from tests.fuzz.damage import damaged
from tests.fuzz.finding import hold

AT_ONCE: Final = 20_000
KEPT: Final = 1_000
HALF_A_PAIR: Final = re.compile(rb"\\u[dD][89a-fA-F]")
SHAPES: Final = (Reason.NOT_JSON, Reason.NOT_AN_OBJECT)

Say = Callable[[str], None]


@dataclass
class Found:
    """How often each verdict was given, and messages of `wiki.silver` and `wiki.gold` that came of it."""

    verdicts: Counter[str] = field(default_factory=Counter)
    messages: list[bytes] = field(default_factory=list)


def run(settings: Settings, seeds: Sequence[bytes], many: int, seed: int, say: Say) -> Found:
    """Transform so many damaged payloads. Raises PermanentError when one is lost, doubled or rejected for nothing."""
    dice, found = random.Random(seed), Found()
    spark = spark_session(settings, "freshet-fuzz", lineage=False)
    spark.sparkContext.setLogLevel("ERROR")
    try:
        for first in range(0, many, AT_ONCE):
            payloads = [damaged(dice, dice.choice(seeds)) for _ in range(min(AT_ONCE, many - first))]
            with tempfile.TemporaryDirectory(prefix="freshet-fuzz-") as folder:
                check(settings, records(spark, Path(folder) / "records.parquet", payloads), payloads, found)
            say(f"{first + len(payloads):,} of {many:,} through the transforms")
    finally:
        spark.stop()
    return found


def records(spark: SparkSession, file: Path, payloads: Sequence[bytes]) -> DataFrame:
    """Payloads as Kafka's source gives them, at offsets from 0."""
    many, header = len(payloads), pa.struct([("key", pa.string()), ("value", pa.binary())])
    now = pa.scalar(datetime.now(UTC), pa.timestamp("us", tz="UTC"))
    columns = {
        "key": pa.array([b""] * many),
        "value": pa.array(payloads, pa.binary()),
        "topic": pa.array([topics.RAW] * many),
        "partition": pa.array([0] * many, pa.int32()),
        "offset": pa.array(range(many), pa.int64()),
        "timestamp": pa.repeat(now, many),
        "headers": pa.array([[]] * many, pa.list_(header)),
    }
    pq.write_table(pa.table(columns), file)
    return spark.read.parquet(str(file))


def check(settings: Settings, frame: DataFrame, payloads: Sequence[bytes], found: Found) -> None:
    """Whether every payload has one verdict and leaves what that verdict says."""
    judged = events(parse(bronze(frame))).select("raw_offset", "verdict", "error").orderBy("raw_offset").collect()
    hold([row["raw_offset"] for row in judged] == list(range(len(payloads))), "every record has one verdict", b"")
    for row, payload in zip(judged, payloads, strict=True):
        verdict = row["verdict"]
        hold(verdict in {VALID, CANARY, *Reason}, f"{verdict} is a verdict of the contract", payload)
        hold(bool(row["error"]) == (verdict not in (VALID, CANARY)), f"a rejection says why: {row['error']}", payload)
        hold(agreed(verdict, payload), f"a strict reader says {verdict} as well", payload)
    verdicts = Counter(row["verdict"] for row in judged)
    found.verdicts += verdicts
    _sent(settings, frame, verdicts, found)


def agreed(verdict: str, payload: bytes) -> bool:
    """Whether Python's own reader sees the same shape. A payload that is too large has any; one with half a surrogate
    pair, of which the standard of JSON says nothing, may be called no JSON when something else is wrong with it."""
    shape = shape_of(payload)
    if verdict == Reason.TOO_LARGE or (verdict == Reason.NOT_JSON and HALF_A_PAIR.search(payload)):
        return True
    return verdict == shape if shape or verdict in SHAPES else True


def shape_of(payload: bytes) -> Reason | None:
    """What is wrong with the shape of a payload by Python's own reader; None when it is one JSON object."""
    try:
        value = json.loads(payload.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Reason.NOT_JSON
    return None if isinstance(value, dict) else Reason.NOT_AN_OBJECT


def _sent(settings: Settings, frame: DataFrame, verdicts: Counter[str], found: Found) -> None:
    """Whether the serve query would send one record of silver or one dead letter of each."""
    sent = outgoing(frame, settings.document_rule).select("topic", "value")
    counts = {row["topic"]: row["count"] for row in sent.groupBy("topic").count().collect()}
    rejected = sum(verdicts[reason] for reason in Reason)
    hold(counts.get(topics.SILVER, 0) == verdicts[VALID], "what is valid is sent to silver once", b"")
    hold(counts.get(topics.REJECTED, 0) == rejected, "what is rejected is one dead letter", b"")
    found.messages += _some(sent, KEPT - len(found.messages))


def _some(sent: DataFrame, most: int) -> Iterator[bytes]:
    rows = sent.where(fn.col("topic").isin(topics.SILVER, topics.GOLD)).limit(max(0, most)).collect()
    return (bytes(row["value"]) for row in rows)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
