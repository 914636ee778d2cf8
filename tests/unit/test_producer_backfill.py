"""History on its way to the log: what of the stream is taken, when it ends, and how fast it may go."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from freshet.errors import PermanentError
from freshet.offsets import Marks
from freshet.settings import load_settings
from freshet.upkeep.history import History
from freshet.upkeep.interval import Interval, at
from producer import backfill, pace, past
from producer.archive import Archive
from producer.connection import Reader
from producer.frames import Frame
from producer.pace import BURST_S, Gate, Pace, paced
from producer.past import Past
from producer.resume import advanced, timestamps
from tests.unit.test_producer_reader import ID, serving

SPAN = Interval(at(1_000_000), at(2_000_000))


def sse_id(**times: int) -> str:
    return json.dumps([{"topic": topic, "partition": 0, "timestamp": ms} for topic, ms in times.items()])


def of(topic: str, **times: int) -> Frame:
    return Frame(sse_id(**times), "message", json.dumps({"meta": {"topic": topic}}).encode())


class MadeUpReader:
    """Gives these frames, then is silent until it is stopped."""

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames
        self._over = Event()
        self.opened_at: float | None = time.monotonic()

    def frames(self) -> Iterator[Frame]:
        yield from self._frames
        self._over.wait(30)

    def stop(self) -> None:
        self._over.set()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is taken of these frames, and the source that took it."""

    def taken(*frames: Frame) -> tuple[list[Frame], Past]:
        reader = MadeUpReader(list(frames))
        monkeypatch.setattr(past, "Reader", lambda *_: reader)
        source = Past(load_settings(stream_id="s"), SPAN)
        reader.stop()
        return [frame for _, frame in source.items(None)], source

    return taken


def test_the_beginning_is_part_of_the_time_and_the_end_is_not(read: Any) -> None:
    frames = [of("a", a=ms) for ms in (999_999, 1_000_000, 1_999_999, 2_000_000, 2_000_001)]
    taken, source = read(*frames)
    assert taken == frames[1:3]
    assert timestamps(source.last_position()) == {"a": 2_000_000}
    assert source.is_done(source.last_position())


def test_the_end_is_reached_when_every_topic_has_passed_it(read: Any) -> None:
    frames = [of("a", a=1_500_000), of("b", a=1_500_000, b=2_500_000), of("a", a=1_600_000, b=2_500_000),
              of("b", a=1_600_000, b=2_000_000), of("a", a=2_000_000, b=2_500_000), of("a", a=1_700_000)]  # fmt: skip
    taken, _ = read(*frames)
    assert taken == [frames[0], frames[2]]


def test_a_time_that_was_not_read_to_its_end_is_not_done(read: Any) -> None:
    taken, source = read(of("a", a=1_500_000))
    assert len(taken) == 1
    assert source.last_position() is None
    assert not source.is_done(sse_id(a=1_500_000))
    assert not source.is_done("of another make")


def test_frames_without_a_time_are_taken(read: Any) -> None:
    assert len(read(Frame("", "message", b"x"), of("a", a=5))[0]) == 1


def test_a_stream_that_is_away_is_waited_for_and_a_silent_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = MadeUpReader([])
    reader.opened_at = None
    monkeypatch.setattr(past, "Reader", lambda *_: reader)
    source = Past(load_settings(), SPAN)
    source.quiet_after_s = 0.0
    frames = source.items(None)
    source.watch()
    assert not source.nothing_more
    reader.stop()
    assert not list(frames)
    source.watch()
    assert not source.nothing_more
    reader.opened_at = time.monotonic() - 1
    source.watch()
    assert source.nothing_more


def test_history_is_asked_for_by_its_time_until_the_first_frame_has_come() -> None:
    with serving([500, [ID % 5000], [ID % 6000]]) as server:
        stream = Reader(server.settings, None, "2026-11-23T10:00:00Z").frames()
        assert [next(stream).id for _ in range(2)] == [ID % 5000, ID % 6000]
        stream.close()
    assert server.paths == ["/?since=2026-11-23T10%3A00%3A00Z"] * 2 + ["/"]


def test_a_position_is_moved_to_the_end_and_never_back() -> None:
    moved = advanced('[{"topic":"a","timestamp":5},{"topic":"b","timestamp":90},{"topic":"c","offset":-1}]', 50)
    assert json.loads(moved) == [{"topic": "a", "timestamp": 50}, {"topic": "b", "timestamp": 90},
                                 {"topic": "c", "offset": -1}]  # fmt: skip


def test_events_are_spread_evenly() -> None:
    gait = Pace(10)
    assert [round(gait.wait_s(5.0), 6) for _ in range(4)] == [0, 0.1, 0.2, 0.3]


def test_what_a_late_reader_missed_is_made_up_for_only_a_little() -> None:
    gait = Pace(100)
    gait.wait_s(0.0)
    at_once = 0
    while gait.wait_s(50.0) == 0:
        at_once += 1
    assert at_once == pytest.approx(BURST_S * 100 + 1, abs=1)


class MadeUpOffsets:
    """Gold has ten records in each of two partitions; the group has committed so many."""

    def __init__(self, committed: int) -> None:
        self.reached = committed

    def marks(self, names: list[str], deadline: float) -> dict[str, dict[int, Marks]]:
        return {name: {0: Marks(0, 10, 0), 1: Marks(0, 10, 0)} for name in names}

    def committed(self, *_: object) -> dict[int, int]:
        return {0: self.reached, 1: 10 if self.reached >= 0 else -1}


def gated(monkeypatch: pytest.MonkeyPatch, committed: int) -> tuple[Gate, MadeUpOffsets]:
    offsets = MadeUpOffsets(committed)
    monkeypatch.setattr(pace, "Offsets", lambda _: offsets)
    monkeypatch.setattr(pace, "LOOK_EVERY_S", 0.0)
    return Gate(load_settings(backfill_lag_records=5)), offsets


def test_it_waits_while_the_indexer_is_further_behind_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, offsets = gated(monkeypatch, 4)
    gate.look()
    assert not gate.open.is_set()
    offsets.reached = 5
    for _ in range(2):
        gate.look()
        assert gate.open.is_set()
    assert gate.waited_s > 0


def test_without_an_indexer_there_is_nothing_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, _ = gated(monkeypatch, -1)
    gate.look()
    assert gate.open.is_set()


def test_who_is_asked_to_stop_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, _ = gated(monkeypatch, 0)
    gate.look()
    stopping = Event()
    stopping.set()
    item = ("1", Frame("", "message", b""))
    assert not list(paced([item], Pace(1), gate, stopping))
    assert not list(paced([item], Pace(1), SimpleNamespace(open=stopping), stopping))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"\x1f\x8bno gzip at all", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K"])
def test_an_archive_that_cannot_be_read_is_found_before_anything_is_sent(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.gz"
    broken.write_bytes(content)
    for path in (broken, tmp_path / "missing", tmp_path):
        with pytest.raises(PermanentError, match="cannot be read"):
            Archive(path, History(None, None))


def test_the_rest_of_an_endless_line_is_never_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.archive.MAX_VALUE_BYTES", 10)
    file = tmp_path / "lines"
    file.write_bytes(b"x" * 100 + b"\nshort\n" + b"y" * 11)
    assert [frame.data for _, frame in Archive(file, History(None, None)).items()] == [b"x" * 11, b"short", b"y" * 11]


def test_an_archive_goes_on_behind_the_line_that_was_done(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"one\n\ntwo\nthree")
    archive = Archive(file, History(None, None))
    assert [position for position, _ in archive.items("1")] == ["3", "4"]
    assert (archive.is_done("3"), archive.is_done("4"), archive.last_position()) == (False, True, "4")


def test_another_content_or_another_time_is_another_backfill(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    asked = [Archive(one, History(None, None)), Archive(other, History(None, None)), Archive(one, History(*SPAN))]
    assert len({archive.key for archive in asked}) == 3


def test_what_is_wrong_with_the_arguments_is_said_and_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise AssertionError("begun")

    said: list[str] = []
    monkeypatch.setattr(backfill, "run", run)
    logger = SimpleNamespace(error=lambda _, error: said.append(error))
    monkeypatch.setattr(backfill.logs, "configure", lambda *_: logger)
    assert backfill.main(["--since", datetime(2100, 1, 1, tzinfo=UTC).isoformat()]) == 1
    assert "lies in the future" in said[0]
    with pytest.raises(SystemExit):
        backfill.main(["--since", "2026-11-23T10:00:00Z", "--rate", "0"])
