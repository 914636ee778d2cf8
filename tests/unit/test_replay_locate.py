"""Where the records of a replay are: asked of a lake on disk, and of a broker that is made up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import TopicPartition
from deltalake import write_deltalake

from freshet.errors import PermanentError
from freshet.settings import Settings, load_settings
from freshet.upkeep import locate
from freshet.upkeep.replay import Kept, Range, Times

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return TEN + timedelta(minutes=count)


class MadeUpLog:
    """Keeps offsets from 5 on in partition 0, a record a minute from ten o'clock on, and nothing in partition 1."""

    def offsets_for_times(self, asked: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [TopicPartition(part.topic, part.partition, self._at(part)) for part in asked]

    def _at(self, part: TopicPartition) -> int:
        if part.partition:
            return -1
        offset = max(5, -int((TEN.timestamp() * 1000 - part.offset) // 60_000))
        return offset if offset < 10 else -1


KEPT = {0: Kept(5, 10), 1: Kept(0, 0)}


@pytest.fixture
def lake(tmp_path: Any) -> Settings:
    """Bronze has offsets 0 to 8 of partition 0, a record a minute."""
    settings = load_settings(lake_root=f"file://{tmp_path}/lake")
    bronze = [
        {"partition": 0, "offset": offset, "kafka_timestamp": minutes(offset), "topic": "wiki.raw"}
        for offset in range(9)
    ]
    silver = [{"event_id": f"e{offset}", "raw_partition": 0, "raw_offset": offset} for offset in range(4)]
    rejected = [
        {"topic": "wiki.raw", "stage": "transform", "partition": 0, "offset": 4, "payload": b'{"meta": {"id": "bad"}}'},
        {"topic": "wiki.raw", "stage": "transform", "partition": 0, "offset": 5, "payload": b"\xff"},
        {"topic": "wiki.rejected", "stage": "producer", "partition": 0, "offset": 6, "payload": b'{"meta":{"id":"p"}}'},
    ]
    for layer, rows in (("bronze", bronze), ("silver", silver), ("rejected", rejected)):
        write_deltalake(settings.lake.table(layer), pa.Table.from_pylist(rows))
    return settings


def between(lake: Settings, since: datetime, until: datetime) -> list[Range]:
    return locate.between(MadeUpLog(), KEPT, lake, Times(since, until))  # type: ignore[arg-type]


def test_bronze_is_known_from_its_first_to_its_last_offset(lake: Settings) -> None:
    assert locate.in_bronze(lake) == {0: Range(0, 0, 8)}


def test_without_a_lake_there_is_nothing_in_bronze(tmp_path: Any) -> None:
    assert locate.in_bronze(load_settings(lake_root=f"file://{tmp_path}/none")) == {}


def test_a_time_is_found_in_the_log_and_before_that_in_bronze(lake: Settings) -> None:
    assert between(lake, minutes(6), minutes(8)) == [Range(0, 6, 7)]
    assert between(lake, minutes(2), minutes(8)) == [Range(0, 2, 4), Range(0, 5, 7)]
    assert between(lake, minutes(2), minutes(4)) == [Range(0, 2, 3)]
    assert between(lake, minutes(7), minutes(600)) == [Range(0, 7, 9)]


def test_a_time_without_records_is_refused_with_the_times_there_are(lake: Settings) -> None:
    with pytest.raises(PermanentError, match=r"from 2026-11-23T10:00:00\+00:00 to 2026-11-23T10:08:00\+00:00"):
        between(lake, minutes(100), minutes(200))


def test_events_are_found_where_silver_has_them_or_where_they_were_rejected(lake: Settings) -> None:
    assert set(locate.places(lake, ["e1", "e3", "bad"])) == {Range(0, 1, 1), Range(0, 3, 3), Range(0, 4, 4)}


def test_events_that_nobody_knows_are_named(lake: Settings) -> None:
    with pytest.raises(PermanentError, match="2 of these events, such as p, stranger"):
        locate.places(lake, ["e1", "stranger", "p"])
