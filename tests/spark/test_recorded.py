"""Real events of many years and wikis, whole and broken, get a verdict each."""

import gzip
import json
import random
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from freshet.contract import topics
from freshet.contract.rejections import Reason
from spark_jobs.serve import outgoing
from spark_jobs.transforms.parse import CANARY, VALID, parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import events
from tests.fuzz.damage import damaged
from tests.fuzz.transforming import agreed
from tests.spark.builders import RULE, frame, numbered

pytestmark = pytest.mark.spark

RECORDED = 20_719
BROKEN = 2_000
SEED = 7


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[bytes]:
    with gzip.open(shared_data / "recentchange.ndjson.gz") as lines:
        return [line.rstrip(b"\n") for line in lines]


@pytest.fixture(scope="module")
def broken(recorded: list[bytes]) -> list[bytes]:
    """Recorded events, each damaged; the same ones in every run."""
    dice = random.Random(SEED)
    return [damaged(dice, payload) for payload in dice.sample(recorded, BROKEN)]


@pytest.fixture(scope="module")
def rows(spark: SparkSession, recorded: list[bytes], broken: list[bytes]) -> list[Row]:
    """Verdict, error and silver's columns of the recorded events and then of the broken ones, in their order."""
    made = events(parse(bronze(frame(spark, numbered([*recorded, *broken]))))).drop("value").collect()
    assert [row["raw_offset"] for row in made] == list(range(len(recorded) + len(broken)))
    return made


def test_every_recorded_event_is_an_event(rows: list[Row], recorded: list[bytes]) -> None:
    assert len(recorded) == RECORDED
    whole = rows[:RECORDED]
    assert {row["verdict"]: row["error"] for row in whole} == {VALID: None}
    for row, payload in zip(whole, recorded, strict=True):
        event = json.loads(payload)
        assert (row["event_id"], row["wiki"]) == (event["meta"]["id"], event["wiki"])
        assert row["title"] == (event.get("title") or None)


def test_every_broken_event_has_the_verdict_that_a_strict_reader_gives(rows: list[Row], broken: list[bytes]) -> None:
    judged = rows[RECORDED:]
    assert len({row["verdict"] for row in judged}) >= 5
    assert {row["verdict"] for row in judged} <= {VALID, CANARY, *Reason}
    assert all((row["error"] is None) == (row["verdict"] in (VALID, CANARY)) for row in judged)
    assert not [payload for row, payload in zip(judged, broken, strict=True) if not agreed(row["verdict"], payload)]


def test_every_broken_event_leaves_one_silver_record_or_one_dead_letter(
    spark: SparkSession, rows: list[Row], broken: list[bytes]
) -> None:
    valid = [row["verdict"] == VALID for row in rows[RECORDED:]]
    sent = outgoing(frame(spark, numbered(broken)), RULE).collect()
    silver = [json.loads(row["value"])["raw_offset"] for row in sent if row["topic"] == topics.SILVER]
    gold = [json.loads(row["value"])["raw_offset"] for row in sent if row["topic"] == topics.GOLD]
    letters = [row for row in sent if row["topic"] == topics.REJECTED]
    assert sorted(silver) == [offset for offset, is_valid in enumerate(valid) if is_valid]
    assert set(gold) <= set(silver)
    assert len(gold) == len(set(gold))
    for row in letters:
        headers = {header["key"]: bytes(header["value"]) for header in row["headers"]}
        assert headers[topics.REASON].decode() in set(Reason)
        assert bytes(row["value"]) == broken[int(headers[topics.RAW_OFFSET])]
    assert len(silver) + len(letters) == len(broken)
