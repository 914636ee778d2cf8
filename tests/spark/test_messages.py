"""What goes to the topics is what goes to the lake, byte for byte."""

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from freshet.contract import schemas, topics
from freshet.settings import Settings
from spark_jobs.batch import write_batch
from spark_jobs.serve import outgoing
from spark_jobs.tables import create_tables
from spark_jobs.transforms.messages import json_row
from tests.spark.builders import LOGGED_AT, RECEIVED_MS, RULE, event, frame, numbered, payload
from tests.spark.payloads import CANARIES, ODD_BUT_VALID, REJECTED

pytestmark = pytest.mark.spark

PAYLOADS: dict[str, bytes | None] = {
    "an edit": payload(event()),
    "a bot's edit": payload(event(bot=True)),
    "nobody's edit": payload(event(user=None, meta__dt="2026-11-23T10:15:30Z")),
    **ODD_BUT_VALID,
    **CANARIES,
    **{name: value for name, (value, _) in REJECTED.items()},
}
Sent = dict[str, dict[str, Row]]


def headers(row: Row) -> dict[str, str]:
    return {header["key"]: bytes(header["value"]).decode() for header in row["headers"] or ()}


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> list[Row]:
    """All that PAYLOADS give."""
    return outgoing(frame(spark, numbered(PAYLOADS.values())), RULE).collect()


@pytest.fixture(scope="module")
def sent(rows: list[Row]) -> Sent:
    """The record of each topic, by the name of the payload it was made of."""
    names = list(PAYLOADS)
    found: Sent = {name: {} for name in names}
    for row in rows:
        offset = headers(row).get(topics.RAW_OFFSET) or json.loads(row["value"])["raw_offset"]
        assert row["topic"] not in found[names[int(offset)]], "sent twice"
        found[names[int(offset)]][row["topic"]] = row
    return found


def test_an_edit_goes_to_silver_and_gold_under_its_page(sent: Sent) -> None:
    assert set(sent["an edit"]) == {topics.SILVER, topics.GOLD}
    assert {bytes(row["key"]) for row in sent["an edit"].values()} == {b"enwiki:Page"}


def test_a_bots_edit_goes_to_silver_only(sent: Sent) -> None:
    assert set(sent["a bot's edit"]) == {topics.SILVER}


@pytest.mark.parametrize("name", ODD_BUT_VALID)
def test_whatever_is_an_event_goes_to_silver(sent: Sent, name: str) -> None:
    assert topics.SILVER in sent[name]
    assert topics.REJECTED not in sent[name]


@pytest.mark.parametrize("name", CANARIES)
def test_a_canary_goes_nowhere(sent: Sent, name: str) -> None:
    assert not sent[name]


@pytest.mark.parametrize("name", REJECTED)
def test_whatever_is_no_event_becomes_one_dead_letter(sent: Sent, name: str) -> None:
    value, reason = REJECTED[name]
    assert set(sent[name]) == {topics.REJECTED}
    letter = sent[name][topics.REJECTED]
    assert headers(letter)[topics.REASON] == reason
    assert letter["value"] == value


def test_a_dead_letter_says_why_and_where_from(sent: Sent) -> None:
    assert headers(sent["UTF-16"][topics.REJECTED]) == {
        topics.REASON: "not_json", topics.STAGE: "transform", topics.ERROR: "the payload is not UTF-8",
        topics.RECEIVED_AT: str(RECEIVED_MS), topics.SOURCE: "recording",
        topics.RAW_TOPIC: "wiki.raw", topics.RAW_PARTITION: "0",
        topics.RAW_OFFSET: str(list(PAYLOADS).index("UTF-16")),
    }  # fmt: skip


def test_json_has_every_column_and_times_in_utc(sent: Sent) -> None:
    row = json.loads(sent["nobody's edit"][topics.SILVER]["value"])
    assert tuple(row) == schemas.names(schemas.SILVER)
    assert row["user_name"] is None
    assert row["event_time"] == "2026-11-23T10:15:30.000Z"
    assert row["raw_timestamp"] == LOGGED_AT.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_replay_in_another_partitioning_and_time_zone_is_the_same(spark: SparkSession, rows: list[Row]) -> None:
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        again = outgoing(frame(spark, numbered(PAYLOADS.values())).repartition(7), RULE).collect()
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert sorted(map(str, again)) == sorted(map(str, rows))


def test_stream_and_lake_agree_byte_for_byte(spark: SparkSession, lake_settings: Settings, shared_data: Path) -> None:
    with gzip.open(shared_data / "recentchange.ndjson.gz") as lines:
        records = frame(spark, numbered(islice(lines, 2000)))
    create_tables(spark, lake_settings.lake)
    write_batch(records, lake_settings.lake, RULE)
    made = outgoing(records, RULE).collect()
    for layer, topic, fields in (("silver", topics.SILVER, schemas.SILVER), ("gold", topics.GOLD, schemas.GOLD)):
        table = spark.read.format("delta").load(lake_settings.lake.table(layer))
        stored = {row[0].encode() for row in table.select(json_row(fields)).collect()}
        # removals are said to the index alone
        sent = {bytes(row["value"]) for row in made if row["topic"] == topic and b'"removal"' not in row["value"][:12]}
        assert stored == sent
        assert len(stored) > 100
