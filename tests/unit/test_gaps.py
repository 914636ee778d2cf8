"""Gaps in what was received: found in counts, and counted in a lake on disk."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from freshet.settings import Settings, load_settings
from freshet.upkeep.gaps import Continuity, Counts, continuity
from freshet.upkeep.interval import Interval
from freshet.upkeep.minutes import counted

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
FIRST = int(TEN.timestamp()) // 60
SHARE = 0.2


def minutes(count: float) -> datetime:
    return TEN + timedelta(minutes=count)


def found(counts: list[int], share: float = SHARE) -> Continuity:
    by_minute = {FIRST + index: count for index, count in enumerate(counts) if count}
    return continuity(Counts(by_minute, FIRST, FIRST + len(counts)), share)


def test_a_run_of_empty_minutes_is_a_gap_with_a_minute_on_either_side() -> None:
    seen = found([100] * 10 + [0] * 3 + [120] * 10)
    (gap,) = seen.gaps
    assert gap.interval == Interval(minutes(9), minutes(14))
    assert (seen.usual, gap.there, gap.missing) == (110, 0, 330)


def test_a_minute_with_far_less_than_the_usual_is_part_of_it_and_one_with_somewhat_less_is_not() -> None:
    (gap,) = found([100] * 9 + [60, 19, 0, 20] + [100] * 9).gaps
    assert (gap.interval, gap.there, gap.missing) == (Interval(minutes(9), minutes(13)), 19, 181)
    assert not found([100] * 9 + [60, 19, 0, 20] + [100] * 9, share=0).gaps


def test_an_outage_longer_than_all_the_rest_does_not_become_the_usual() -> None:
    (gap,) = found([100] * 8 + [0] * 200 + [100] * 8).gaps
    assert gap.missing == 20_000


def test_two_outages_are_two_gaps() -> None:
    assert len(found([100] * 9 + [0] + [100] * 5 + [0] + [100] * 9).gaps) == 2


def test_a_stream_too_quiet_to_tell_says_so() -> None:
    assert found([10] * 20 + [0] * 5 + [10] * 20).note.startswith("a usual minute has 10 events")
    assert found([100] * 9 + [0] * 50).note.startswith("9 minutes with events")
    assert not found([]).gaps


def sse_id(*times: datetime | None) -> str:
    entries = [
        f'{{"topic":"{index}","partition":0,'
        + (f'"timestamp":{int(time.timestamp() * 1000)}}}' if time else '"offset":-1}')
        for index, time in enumerate(times)
    ]
    return f"[{','.join(entries)}]"


def record(happened: str, arrived: datetime, source: str = "live", partition: int = 0) -> dict[str, Any]:
    return {"partition": partition, "sse_id": happened, "kafka_timestamp": arrived, "source": source,
            "ingest_date": arrived.date()}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(lake_root=f"file://{tmp_path}/lake", gap_lookback_hours=2)


def lake(settings: Settings, *rows: dict[str, Any]) -> None:
    schema = pa.schema({"partition": pa.int32(), "sse_id": pa.string(), "kafka_timestamp": pa.timestamp("us", "UTC"),
                        "source": pa.string(), "ingest_date": pa.date32()})  # fmt: skip
    table = pa.Table.from_pylist(list(rows), schema=schema)
    write_deltalake(settings.lake.table("bronze"), table, mode="append", partition_by=["ingest_date"])


def live(minute: float, partition: int = 0) -> dict[str, Any]:
    return record(sse_id(minutes(minute), None), minutes(minute), partition=partition)


def test_what_a_backfill_brought_counts_when_it_happened(settings: Settings) -> None:
    filled = [record(sse_id(minutes(7.5), None), minutes(50), "backfill") for _ in range(3)]
    lake(settings, live(0.5), live(5.5), live(7.1), *filled, live(55))
    counts = counted(settings, minutes(60))
    assert (counts.by_minute[FIRST + 7], counts.by_minute[FIRST + 5]) == (4, 1)
    assert (counts.first, counts.following) == (FIRST + 1, FIRST + 55)


def test_of_an_id_with_two_topics_the_later_time_counts_and_without_one_the_arrival(settings: Settings) -> None:
    lake(settings, live(0), record(sse_id(minutes(3), minutes(9)), minutes(9)), record("", minutes(11)), live(59))
    by_minute = counted(settings, minutes(60)).by_minute
    assert (by_minute[FIRST + 9], by_minute[FIRST + 11], by_minute.get(FIRST + 3)) == (1, 1, None)


def test_what_the_lake_has_not_taken_in_of_every_partition_is_left_out(settings: Settings) -> None:
    lake(
        settings,
        live(0.5),
        live(30, partition=1),
        live(50),
        record(sse_id(minutes(58), None), minutes(59), "backfill", 1),
    )
    assert counted(settings, minutes(60)).following == FIRST + 30


def test_the_minute_that_is_not_over_is_left_out(settings: Settings) -> None:
    lake(settings, live(0.5), live(59.2))
    assert counted(settings, minutes(59.5)).following == FIRST + 59


def test_what_lies_further_back_is_not_read_but_tells_that_the_lake_had_begun(settings: Settings) -> None:
    lake(settings, live(-3 * 24 * 60), live(55))
    counts = counted(settings, minutes(60))
    assert (counts.first, counts.by_minute) == (FIRST - 60, {FIRST + 55: 1})


def test_a_lake_with_nothing_in_it_has_no_gap(settings: Settings) -> None:
    assert not continuity(counted(settings, minutes(60)), SHARE).gaps
    lake(settings)
    assert not continuity(counted(settings, minutes(60)), SHARE).gaps
