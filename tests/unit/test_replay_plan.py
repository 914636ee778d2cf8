"""Replays as plans: every record asked for is in one chunk, and what cannot be is refused before anything runs."""

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshet.errors import PermanentError
from freshet.upkeep.replay import (
    CHUNK_RANGES,
    Chunk,
    Events,
    Kept,
    Offsets,
    Range,
    Times,
    chunk_from,
    merged,
    plan,
    request,
)

LOG = {0: Kept(500, 1000), 1: Kept(0, 300), 2: Kept(0, 0)}
BRONZE = {0: Range(0, 100, 990), 1: Range(1, 0, 280)}


def places(ranges: list[Range] | tuple[Range, ...]) -> Counter[tuple[int, int]]:
    return Counter((part.partition, offset) for part in ranges for offset in range(part.first, part.last + 1))


def test_what_the_log_keeps_is_read_from_it_and_what_it_let_go_from_bronze() -> None:
    made = plan([Range(0, 400, 600), Range(1, 10, 20)], LOG, BRONZE)
    assert made.chunks == (
        Chunk("bronze", (Range(0, 400, 499),)),
        Chunk("log", (Range(0, 500, 600), Range(1, 10, 20))),
    )
    assert made.gone == (Range(0, 400, 499),)
    assert made.notes == ["partition 0: the log has let go of offsets 400 to 499; bronze serves them"]
    assert made.records == 212


def test_a_chunk_has_at_most_so_many_records_and_a_range_can_be_in_several() -> None:
    made = plan([Range(0, 500, 759), Range(1, 0, 99)], LOG, BRONZE, most=100)
    assert [chunk.records for chunk in made.chunks] == [100, 100, 100, 60]
    assert made.chunks[2].ranges == (Range(0, 700, 759), Range(1, 0, 39))
    assert len({chunk.name for chunk in made.chunks}) == 4


def test_scattered_records_come_from_bronze_unless_it_does_not_have_them_yet() -> None:
    apart = [Range(0, 600, 600), Range(0, 700, 700)]
    assert [chunk.source for chunk in plan(apart, LOG, BRONZE).chunks] == ["bronze"]
    newest = [*apart, Range(0, 999, 999)]
    assert [chunk.source for chunk in plan(newest, LOG, BRONZE).chunks] == ["log"]
    many = [Range(1, offset, offset) for offset in range(0, 280, 2)] * 4
    assert plan(many, LOG, BRONZE).records == 140
    assert all(len(chunk.ranges) <= CHUNK_RANGES for chunk in plan(many, LOG, BRONZE).chunks)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Range(0, 500, 1000), "0:500-1000: it goes beyond the end of the log; partition 0 has 500 to 999 in the log"),
        (Range(0, 600, 599), "its end lies before its beginning"),
        (Range(1, -1, 3), "not negative; partition 1 has 0 to 299 in the log"),
        (Range(0, 99, 600), "bronze does not have; partition 0 has 500 to 999 in the log and 100 to 990 in bronze"),
        (Range(7, 0, 1), "no partition 7: partition 0 has .*, partition 1 has .*, partition 2 has no records"),
        (Range(2, 0, 0), "partition 2 has no records"),
    ],
)
def test_a_range_that_is_not_there_is_refused_with_what_is(asked: Range, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        plan([Range(1, 0, 1), asked], LOG, BRONZE)


def test_every_mistake_is_said_at_once() -> None:
    with pytest.raises(PermanentError, match=r"0:2000-2001: .*; there is no partition 9"):
        plan([Range(0, 2000, 2001), Range(9, 0, 0)], LOG, BRONZE)


def test_a_chunk_of_nothing_is_refused() -> None:
    with pytest.raises(PermanentError, match="at least one record"):
        plan([Range(1, 0, 1)], LOG, BRONZE, most=0)


def test_a_request_for_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(PermanentError, match="no record to replay: partition 0 has 500 to 999"):
        plan([], LOG, BRONZE)


def test_what_bronze_is_still_missing_is_refused() -> None:
    with pytest.raises(PermanentError, match="bronze does not have"):
        plan([Range(0, 100, 600)], LOG, {0: Range(0, 100, 450)})


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(100, 280), st.integers(0, 90)), min_size=1, max_size=8),
    st.integers(1, 120),
    st.integers(100, 290),
)
def test_every_record_asked_for_is_in_exactly_one_chunk(
    drawn: list[tuple[int, int, int]], most: int, first_kept: int
) -> None:
    asked = [Range(partition, first, min(first + more, 299)) for partition, first, more in drawn]
    log = {0: Kept(first_kept, 300), 1: Kept(0, 300)}
    made = plan(asked, log, {0: Range(0, 0, 299), 1: Range(1, 0, 299)}, most)
    found = sum((places(chunk.ranges) for chunk in made.chunks), Counter())
    assert found == Counter(dict.fromkeys(places(asked), 1))
    for chunk in made.chunks:
        assert chunk.records <= most
        assert chunk.source == "bronze" or all(part.first >= log[part.partition].first for part in chunk.ranges)
        assert chunk_from(json.dumps(chunk.as_json())) == chunk
    assert len({chunk.name for chunk in made.chunks}) == len(made.chunks)
    assert places(made.gone).keys() == {place for place in found if place[0] == 0 and place[1] < first_kept}


@given(st.lists(st.builds(Range, st.integers(0, 2), st.integers(0, 30), st.integers(30, 50))))
def test_merged_ranges_hold_the_same_records_and_never_meet(ranges: list[Range]) -> None:
    found = merged(ranges)
    assert places(found) == Counter(dict.fromkeys(places(ranges), 1))
    assert all(one.partition < other.partition or one.last + 1 < other.first for one, other in pairwise(found))


def test_a_request_is_read_as_people_write_it() -> None:
    assert request(offsets=["0:5-9", "1:7"]) == Offsets((Range(0, 5, 9), Range(1, 7, 7)))
    assert request(since="2026-11-23T10:00:00Z", until="2026-11-23T12:00:00+01:00") == Times(
        datetime(2026, 11, 23, 10, tzinfo=UTC), datetime(2026, 11, 23, 11, tzinfo=UTC)
    )
    assert request(event_ids=["a", "b", "a"]) == Events(("a", "b"))
    assert request(doc_ids=["a"]) == request(event_ids=["a"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "names nothing"),
        ({"offsets": ["0:1"], "event_ids": ["a"]}, "names offsets and event ids"),
        ({"since": "2026-11-23T10:00:00Z", "doc_ids": ["a"]}, "names a time and document ids"),
        ({"offsets": ["0:-1"]}, "PARTITION:FIRST-LAST"),
        ({"offsets": ["zero"]}, "PARTITION:FIRST-LAST"),
        ({"since": "yesterday"}, "is no time"),
        ({"since": "2026-11-23T10:00:00"}, "no time zone"),
        ({"until": "2026-11-23T10:00:00Z"}, "needs its beginning"),
        ({"since": "2026-11-23T10:00:00Z", "until": "2026-11-23T10:00:00Z"}, "must be before until"),
    ],
)
def test_a_request_that_is_not_one_way_of_choosing_is_refused(given: dict, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        request(**given)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"source": "log", "ranges": []}', '{"source": "moon", "ranges": [[0, 1, 2]]}',
     '{"source": "log", "ranges": [[0, 2, 1]]}', '{"source": "log", "ranges": [[0, 1]]}'],
)  # fmt: skip
def test_what_is_no_chunk_is_refused(text: str) -> None:
    with pytest.raises(PermanentError, match="no chunk"):
        chunk_from(text)
