"""Where the stream goes on."""

import json

from hypothesis import given
from hypothesis import strategies as st

from producer.resume import Ledger, Position, rewound


def test_every_timestamp_goes_back_and_offsets_stay() -> None:
    sse_id = json.dumps(
        [{"topic": "eqiad.x", "partition": 0, "timestamp": 5000}, {"topic": "codfw.x", "partition": 0, "offset": -1}]
    )
    assert json.loads(rewound(sse_id, 2000)) == [
        {"topic": "eqiad.x", "partition": 0, "timestamp": 3000},
        {"topic": "codfw.x", "partition": 0, "offset": -1},
    ]


def test_a_rewind_stops_at_the_epoch() -> None:
    assert json.loads(rewound('[{"timestamp":5}]', 2000)) == [{"timestamp": 0}]


def test_an_id_of_another_make_is_left_alone() -> None:
    assert [rewound(text, 10) for text in ("", "abc", "17", "[1]", '{"timestamp":5}')] == [
        "", "abc", "17", "[1]", '{"timestamp":5}',
    ]  # fmt: skip


def test_a_position_reads_as_it_was_written() -> None:
    position = Position('[{"timestamp":5}]', 17)
    assert Position.from_json(position.to_json()) == position


def test_the_position_waits_for_the_oldest_frame_in_flight() -> None:
    ledger = Ledger()
    first, second = ledger.open("1"), ledger.open("2")
    ledger.settle(second)
    assert (ledger.sse_id, len(ledger)) == (None, 2)
    ledger.settle(first)
    assert (ledger.sse_id, len(ledger)) == ("2", 0)


@given(st.integers(1, 12).flatmap(lambda count: st.permutations(range(count))), st.integers(0, 12))
def test_the_position_never_passes_a_frame_that_is_not_settled(order: list[int], settled: int) -> None:
    ledger = Ledger()
    entries = [ledger.open(str(number)) for number in range(len(order))]
    done = set(order[:settled])
    for number in order[:settled]:
        ledger.settle(entries[number])
    unbroken = next((number for number in range(len(order)) if number not in done), len(order))
    assert ledger.sse_id == (str(unbroken - 1) if unbroken else None)
