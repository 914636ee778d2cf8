"""The producer against the stand-in and a real broker: whatever breaks, everything arrives."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Message

from freshet.contract import topics
from freshet.log import MAX_RECORD_BYTES
from freshet.settings import Settings
from local import guard
from local.eventstreams.source import Kind
from local.supervision import run_folder
from producer.classify import MAX_VALUE_BYTES
from producer.resume import read_position
from tests.producing import COUNT, Topic, expected, fetched, metric, of_its_own, running, until

pytestmark = pytest.mark.integration


@pytest.fixture
def mine(settings: Settings, tmp_path: Path) -> Settings:
    return of_its_own(settings, tmp_path)


@pytest.fixture
def raw(mine: Settings) -> Iterator[Topic]:
    with closing(Topic(mine, topics.RAW)) as topic:
        yield topic


@pytest.fixture
def rejected(mine: Settings) -> Iterator[Topic]:
    with closing(Topic(mine, topics.REJECTED)) as topic:
        yield topic


def test_everything_arrives_though_the_connection_breaks_in_every_way(
    mine: Settings, raw: Topic, rejected: Topic
) -> None:
    faults = ("--cut-every", "500", "--disconnect-every", "700", "--stall-every", "1100", "--stall-s", "20",
              "--malformed-every", "600", "--throttle-every", "3")  # fmt: skip
    events = set(expected(mine.simulator_seed, Kind.EVENT))
    with running(mine, "local.eventstreams", *faults), running(mine, "producer") as producer:
        until(lambda: events <= raw.ids())
        assert fetched(mine.producer_metrics_port, "/readyz") == "ok\n"
        for outcome in ("opened", "closed", "stalled", "throttled"):
            assert metric(mine, f'freshet_producer_connections_total{{outcome="{outcome}"}}') > 0
        assert metric(mine, "freshet_producer_canaries_total") >= len(expected(mine.simulator_seed, Kind.CANARY))
        served = json.loads(fetched(mine.eventstreams_port, "/-/served"))
        assert (served["next"], served["faults"]["cut"] > 0, served["faults"]["stall"] > 0) == (COUNT, True, True)
        rows = fetched(mine.eventstreams_port, "/-/served/ids").splitlines()
        assert {row["id"] for row in map(json.loads, rows) if row["kind"] == "event"} == events
        producer.send_signal(signal.SIGTERM)
        assert producer.wait(30) == 0
    assert raw.ids() == events
    broken = len(expected(mine.simulator_seed, Kind.MALFORMED)) + served["faults"]["malformed"]
    until(lambda: len(rejected.read().messages) >= broken)
    assert {dict(message.headers())["stage"] for message in rejected.messages} == {b"producer"}


def test_the_value_is_the_data_byte_for_byte(mine: Settings, raw: Topic) -> None:
    with running(mine, "local.eventstreams"), running(mine, "producer"):
        until(lambda: len(raw.read().messages) >= 500)
    lines = set(mine.recording.read_bytes().split(b"\n")) if mine.recording else set()
    assert {message.value() for message in raw.messages} <= lines
    headers = dict(raw.messages[0].headers())
    assert headers["source"] == b"recording"
    assert abs(int(headers["received-at"]) - raw.messages[0].timestamp()[1]) < 60_000


def test_nothing_is_missing_after_the_producer_is_killed_midway(mine: Settings, raw: Topic) -> None:
    mine = mine.model_copy(update={"rate": 400})
    events = set(expected(mine.simulator_seed, Kind.EVENT))
    with running(mine, "local.eventstreams"):
        with running(mine, "producer") as producer:
            until(lambda: len(raw.ids()) > COUNT // 3)
            os.killpg(producer.pid, signal.SIGKILL)
        assert raw.ids() < events
        with running(mine, "producer"):
            until(lambda: events <= raw.ids())
    assert raw.ids() == events


def test_an_event_of_ten_megabytes_is_rejected_with_its_reason_and_the_stream_goes_on(
    mine: Settings, raw: Topic, rejected: Topic
) -> None:
    assert mine.recording is not None
    lines = mine.recording.read_bytes().splitlines()
    huge = json.loads(lines[COUNT // 2]) | {"comment": "x" * MAX_RECORD_BYTES}
    mine.recording.write_bytes(b"\n".join([*lines[: COUNT // 2], json.dumps(huge).encode(), *lines[COUNT // 2 :]]))
    with running(mine, "local.eventstreams"), running(mine, "producer") as producer:
        until(lambda: set(expected(mine.simulator_seed, Kind.EVENT)) <= raw.ids())
        until(lambda: any(reason_of(message) == b"too_large" for message in rejected.read().messages))
        assert producer.poll() is None
    (kept,) = [message for message in rejected.messages if reason_of(message) == b"too_large"]
    assert kept.value() == json.dumps(huge).encode()[:MAX_VALUE_BYTES]
    assert f"{len(json.dumps(huge))} bytes".encode() in dict(kept.headers() or [])["error"]


def reason_of(message: Message) -> bytes | None:
    return dict(message.headers() or []).get("reason")


@contextmanager
def taking_nothing(settings: Settings) -> Iterator[None]:
    """The broker keeps its connections and answers nobody until the block ends."""
    process = guard.process_of(run_folder(settings) / "kafka.pid")
    assert process is not None
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_while_the_broker_takes_nothing_the_producer_says_so_waits_and_goes_on_after(
    settings: Settings, mine: Settings, raw: Topic
) -> None:
    events = set(expected(mine.simulator_seed, Kind.EVENT))
    with running(mine.model_copy(update={"rate": 100}), "local.eventstreams"), running(mine, "producer") as producer:
        until(lambda: bool(raw.ids()))
        with taking_nothing(settings):
            until(lambda: metric(mine, "freshet_ready") == 0)
            assert "the broker takes no records" in (mine.state_dir / "producer.log").read_text()
            assert metric(mine, "freshet_producer_in_flight_records") > 0
        until(lambda: events <= raw.ids())
        until(lambda: metric(mine, "freshet_ready") == 1)
        assert producer.poll() is None
    assert raw.ids() == events


def test_an_orderly_end_writes_the_position_of_the_last_frame(mine: Settings, raw: Topic) -> None:
    with running(mine, "local.eventstreams"), running(mine, "producer") as producer:
        until(lambda: set(expected(mine.simulator_seed, Kind.EVENT)) <= raw.ids())
        # The stream is silent now: the end must not wait for its next word.
        producer.send_signal(signal.SIGTERM)
        assert producer.wait(30) == 0
        epoch_ms = next(iter(json.loads((mine.state_dir / "eventstreams.json").read_text()).values()))["epoch_ms"]
    position = read_position(mine)
    assert position is not None
    assert json.loads(position.sse_id)[0]["timestamp"] == epoch_ms + COUNT - 1


def test_a_stream_that_refuses_for_good_ends_the_producer_with_its_reason(mine: Settings) -> None:
    elsewhere = mine.model_copy(update={"stream_url": mine.stream_url + "/nowhere"})
    with ExitStack() as stack:
        stack.enter_context(running(mine, "local.eventstreams"))
        fetched(mine.eventstreams_port, "/readyz")
        producer = stack.enter_context(running(elsewhere, "producer"))
        assert producer.wait(60) == 1
    assert "FRESHET_STREAM_URL" in (mine.state_dir / "producer.log").read_text()


def test_a_setting_that_cannot_work_is_named_and_ends_with_2(mine: Settings) -> None:
    for command in ("producer", "local.eventstreams"):
        with running(mine.model_copy(update={"rate": -1}), command) as child:
            assert child.wait(60) == 2
        assert "FRESHET_RATE" in (mine.state_dir / f"{command}.log").read_text()
