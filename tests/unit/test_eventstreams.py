"""The stand-in's log: times, positions, recordings, faults, memory."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshet.errors import ConfigError, DataError
from local.eventstreams import position
from local.eventstreams.clock import Clock
from local.eventstreams.faults import Fault, FaultPlan, Faults, asked
from local.eventstreams.recording import Recording
from local.eventstreams.served import Served
from local.eventstreams.simulator import Simulation
from local.eventstreams.source import Described, Kind

EPOCH = 1_795_393_856_154
CLOCK = Clock(EPOCH, 40)


@given(st.floats(0.01, 100_000) | st.just(0.0), st.integers(0, 2_000_000))
def test_going_on_at_a_time_skips_no_entry_of_that_time(rate: float, index: int) -> None:
    clock = Clock(EPOCH, rate)
    found = clock.first_at(clock.timestamp(index))
    assert found <= index
    assert clock.timestamp(found) == clock.timestamp(index)
    assert found == 0 or clock.timestamp(found - 1) < clock.timestamp(index)


def test_an_entry_has_happened_at_its_own_millisecond_and_not_before() -> None:
    assert (CLOCK.timestamp(1), CLOCK.happened(EPOCH + 24), CLOCK.happened(EPOCH + 25)) == (EPOCH + 25, 1, 2)


def test_as_fast_as_possible_means_a_millisecond_apart_without_waiting() -> None:
    clock = Clock(EPOCH, 0)
    assert clock.timestamp(7) == EPOCH + 7
    assert clock.happened(EPOCH) == float("inf")


def test_a_frames_own_id_leads_back_to_its_entry() -> None:
    assert position.after_id(position.sse_id(CLOCK.timestamp(12)), CLOCK) == 12


def test_an_offset_leads_to_the_entry_after_it() -> None:
    assert position.after_id('[{"topic":"eqiad.x","partition":0,"offset":11}]', CLOCK) == 12
    assert position.after_id('[{"topic":"eqiad.x","partition":0,"offset":-1}]', CLOCK) == 0


@pytest.mark.parametrize(
    "text", ["", "17", "[]", "{}", "[1]", '[{"topic":"x"}]', '[{"timestamp":5}]', '[{"topic":"x","timestamp":"5"}]']
)
def test_an_id_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(DataError, match="Last-Event-ID"):
        position.after_id(text, CLOCK)


def test_since_takes_iso_8601_and_milliseconds() -> None:
    assert position.since("2026-11-23T00:30:56.254Z", CLOCK) == 4
    assert position.since("2026-11-23T01:30:56.254 01:00", CLOCK) == 4
    assert position.since(str(EPOCH + 100), CLOCK) == 4
    with pytest.raises(DataError, match="since"):
        position.since("yesterday", CLOCK)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    lines = [
        b'{"b":1,  "meta":{"id":"e1","dt":"2020-01-01T00:00:00Z","domain":"x"},"timestamp":1}',
        b"", b"not json", b'{"meta":{"id":"e2","domain":"canary"}}', b'{"meta":{"id":null}}',
    ]  # fmt: skip
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return file


def test_a_recording_is_served_byte_for_byte(recorded: Path) -> None:
    recording = Recording(recorded, retime=False)
    assert recording.total == 4
    assert (
        recording.data(0, EPOCH)
        == b'{"b":1,  "meta":{"id":"e1","dt":"2020-01-01T00:00:00Z","domain":"x"},"timestamp":1}'
    )
    assert recording.data(1, EPOCH) == b"not json"


def test_a_retimed_recording_has_the_time_it_is_served_at(recorded: Path) -> None:
    recording = Recording(recorded, retime=True)
    event = json.loads(recording.data(0, EPOCH))
    assert (event["meta"]["dt"], event["timestamp"]) == ("2026-11-23T00:30:56.154Z", EPOCH // 1000)
    assert (event["b"], event["meta"]["id"]) == (1, "e1")
    assert recording.data(1, EPOCH) == b"not json"
    assert recording.identity != Recording(recorded, retime=False).identity


def test_a_recordings_entries_are_told_apart(recorded: Path) -> None:
    recording = Recording(recorded, retime=False)
    assert [recording.describe(index) for index in range(4)] == [
        Described(Kind.EVENT, "e1"),
        Described(Kind.MALFORMED, None),
        Described(Kind.CANARY, "e2"),
        Described(Kind.MALFORMED, None),
    ]


def test_a_recording_that_cannot_be_served_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "empty.ndjson").write_bytes(b"\n\n")
    (tmp_path / "torn.ndjson.gz").write_bytes(gzip.compress(b"{}" * 500)[:20])
    for name in ("empty.ndjson", "torn.ndjson.gz", "missing.ndjson"):
        with pytest.raises(ConfigError, match="FRESHET_RECORDING"):
            Recording(tmp_path / name, retime=False)


def test_each_span_holds_one_fault_of_a_kind_at_the_same_place_every_time() -> None:
    faults = Faults(cut_every=10, seed=3)
    places = [index for index in range(100) if faults.at(index) == (Fault.CUT,)]
    assert [place // 10 for place in places] == list(range(10))
    assert places == [index for index in range(100) if Faults(cut_every=10, seed=3).at(index)]
    assert places != [index for index in range(100) if Faults(cut_every=10, seed=4).at(index)]


def test_a_fault_happens_once() -> None:
    plan = FaultPlan(Faults(cut_every=1))
    assert plan.due(0) is Fault.CUT
    plan.happens(Fault.CUT, 0)
    assert plan.due(0) is None
    assert plan.counts == {"cut": 1}


def test_every_nth_connection_is_throttled() -> None:
    plan = FaultPlan(Faults(throttle_every=3))
    assert [plan.throttles() for _ in range(6)] == [False, False, True, False, False, True]


def test_a_log_goes_on_after_a_restart_and_another_rate_is_another_log(tmp_path: Path) -> None:
    file = tmp_path / "eventstreams.json"
    first = Served(Simulation(1), 40, file)
    epoch = first.clock().epoch_ms
    first.mark(0)
    first.mark(5)
    first.save()
    again = Served(Simulation(1), 40, file)
    assert (again.clock().epoch_ms, again.next) == (epoch, 1)
    assert Served(Simulation(1), 50, file).next == 0
    assert Served(Simulation(1), 40, file).identity == first.identity


def test_a_client_that_goes_on_proves_what_a_former_process_served(tmp_path: Path) -> None:
    served = Served(Simulation(1), 0, tmp_path / "eventstreams.json")
    served.proven(12)
    assert served.next == 12
    served.proven(4)
    assert served.next == 12


def test_faults_are_asked_for_by_name_and_what_is_not_named_is_none() -> None:
    assert asked({"cut_every": "200", "stall_s": "1.5"}) == Faults(cut_every=200, stall_s=1.5)
    assert asked({}) == Faults()


@pytest.mark.parametrize("value", ["", "often", "1.5"])
def test_a_fault_that_is_no_number_is_an_error(value: str) -> None:
    with pytest.raises(DataError, match="cut_every"):
        asked({"cut_every": value})
