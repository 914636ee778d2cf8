"""What goes to the topics is what goes to the lake, byte for byte."""

import gzip
import json
import random

import pytest
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics
from spark_jobs.batch import write_batch
from spark_jobs.serve import outgoing
from spark_jobs.tables import create_tables
from spark_jobs.transforms.messages import json_row
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import events
from tests.spark.builders import LOGGED_AT, RECEIVED_MS, RECORD, Record, event, raw

pytestmark = pytest.mark.spark


@pytest.fixture
def sent(records, lake_settings):
    """Records of the topics that raw records give, by topic."""

    def send(rows):
        made = outgoing(records(rows), lake_settings.document_rule).collect()
        return {topic.name: [row for row in made if row["topic"] == topic.name] for topic in topics.ALL}

    return send


def recorded(shared_data, count):
    with gzip.open(shared_data / "recentchange.ndjson.gz") as lines:
        return [line for _, line in zip(range(count), lines, strict=False)]


def test_an_edit_goes_to_silver_and_gold_under_its_page(sent):
    made = sent([raw(event())])
    assert [len(made[name]) for name in (topics.SILVER, topics.GOLD, topics.REJECTED)] == [1, 1, 0]
    assert {bytes(row["key"]) for name in (topics.SILVER, topics.GOLD) for row in made[name]} == {b"enwiki:Page"}


def test_a_bots_edit_goes_to_silver_only(sent):
    made = sent([raw(event(bot=True))])
    assert [len(made[name]) for name in (topics.SILVER, topics.GOLD, topics.REJECTED)] == [1, 0, 0]


def test_a_canary_goes_nowhere(sent):
    assert not any(sent([raw(event(meta__domain="canary"))]).values())


def test_a_dead_letter_says_why_and_where_from(sent):
    made = sent([Record(b"\xff no", offset=7, partition=3)])
    (letter,) = made[topics.REJECTED]
    headers = {header["key"]: bytes(header["value"]).decode() for header in letter["headers"]}
    assert bytes(letter["value"]) == b"\xff no"
    assert headers == {
        topics.REASON: "not_json", topics.STAGE: "transform", topics.ERROR: "the payload is not UTF-8",
        topics.RECEIVED_AT: str(RECEIVED_MS), topics.SOURCE: "recording",
        topics.RAW_TOPIC: "wiki.raw", topics.RAW_PARTITION: "3", topics.RAW_OFFSET: "7",
    }  # fmt: skip
    assert not made[topics.SILVER]


def test_json_has_every_column_and_times_in_utc(sent):
    made = sent([raw(event(user=None, meta__dt="2026-11-23T10:15:30Z"))])
    row = json.loads(bytes(made[topics.SILVER][0]["value"]))
    assert tuple(row) == schemas.names(schemas.SILVER)
    assert row["user_name"] is None
    assert row["event_time"] == "2026-11-23T10:15:30.000Z"
    assert row["raw_timestamp"] == LOGGED_AT.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_stream_and_lake_agree_byte_for_byte(spark, lake_settings, records, sent, shared_data):
    lines = recorded(shared_data, 2000)
    rows = [Record(line, offset=place) for place, line in enumerate(lines)]
    create_tables(spark, lake_settings.lake)
    write_batch(records(rows), lake_settings.lake, lake_settings.document_rule)
    made = sent(rows)
    for layer, topic, fields in (
        ("silver", topics.SILVER, schemas.SILVER),
        ("gold", topics.GOLD, schemas.GOLD),
    ):
        table = spark.read.format("delta").load(lake_settings.lake.table(layer))
        stored = {row[0].encode() for row in table.select(json_row(fields)).collect()}
        assert stored == {bytes(row["value"]) for row in made[topic]}
        assert len(stored) > 100


def test_a_replay_in_another_partitioning_and_time_zone_is_the_same(spark, records, lake_settings):
    rows = [raw(event(meta__id=f"e{number}"), offset=number) for number in range(40)]
    here = outgoing(records(rows), lake_settings.document_rule).collect()
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        there = outgoing(records(rows).repartition(7), lake_settings.document_rule).collect()
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert sorted(map(str, here)) == sorted(map(str, there))


def test_mangled_events_stop_nothing_and_are_all_accounted_for(spark, shared_data):
    chance = random.Random(20261123)
    mangled = [mangle(chance, line.strip()) for line in recorded(shared_data, 3000)]
    frame = spark.createDataFrame(
        [Record(value, offset=place).as_tuple() for place, value in enumerate(mangled)], RECORD
    )
    judged = events(parse(bronze(frame)))
    verdicts = {row["verdict"]: row["count"] for row in judged.groupBy("verdict").count().collect()}
    assert sum(verdicts.values()) == len(mangled)
    assert judged.select(fn.count(fn.to_json(fn.struct("*")))).first()[0] == len(mangled)
    assert {"valid", "not_json"} <= set(verdicts)
    assert len(verdicts) > 4, "the mangling finds too little"


def mangle(chance, line):
    """An event with something wrong: bytes lost, changed or added, members gone or of another kind."""
    how = chance.randrange(5)
    place = chance.randrange(len(line))
    if how == 0:
        return line[:place]
    if how == 1:
        return line[:place] + bytes([chance.randrange(256)]) + line[place + 1 :]
    if how == 2:
        return (
            line[:place] + chance.choice([b"\x00", b"\\u0000", b"\\ud800", b'"', b"}", b"[[", b"\xff"]) + line[place:]
        )
    made = json.loads(line)
    target = made if how == 3 else made["meta"]
    name = chance.choice(list(target))
    target[name] = chance.choice([None, 0, -1, 10**30, 1.5, "", "x", [], {}, [1], {"a": 1}, True, "\ud800", "9" * 25])
    return json.dumps(made).encode()
