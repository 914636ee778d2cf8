"""History read again, from the stand-in and from archives, into a real broker."""

import gzip
import json
import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freshet.contract import topics
from freshet.settings import Settings, Source
from freshet.upkeep.history import History
from freshet.upkeep.measuring import observe
from freshet.upkeep.received import heard_at
from local import ports
from local.eventstreams.app import PATH, create_app, stream_identity
from local.eventstreams.faults import Faults
from local.eventstreams.simulator import describe, entry
from local.eventstreams.source import Kind
from producer.archive import Archive
from producer.fill import Limits, fill
from producer.past import Past
from producer.publish import Publisher
from producer.resume import Ledger, read_position, timestamps
from tests.producing import Topic, running, until
from tests.serving import listening

pytestmark = pytest.mark.integration

COUNT, RATE, SEED = 3000, 100, 7
EPOCH = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
EPOCH_MS = int(EPOCH.timestamp() * 1000)
FROM, TO = 500, 1100
INTERVAL = History(EPOCH + timedelta(seconds=FROM / RATE), EPOCH + timedelta(seconds=TO / RATE))
QUICK = Limits(100_000)


@pytest.fixture(scope="module")
def events() -> list[bytes]:
    return [entry(index, SEED, EPOCH_MS + index * 1000 // RATE) for index in range(COUNT)]


@pytest.fixture
def mine(settings: Settings, events: list[bytes], tmp_path: Path) -> Iterator[Settings]:
    """Settings of a stream that began an hour ago, which is served from its beginning while the test runs."""
    recording = tmp_path / "events.ndjson"
    recording.write_bytes(b"\n".join(events))
    changes = {"state_dir": tmp_path, "source": Source.RECORDING, "recording": recording, "rate": float(RATE),
               "rewind_ms": 20, "stall_timeout_s": 5.0, "stream_id": f"test-{uuid.uuid4()}",
               "indexer_group": f"test-{uuid.uuid4()}"}  # fmt: skip
    served = settings.model_copy(update=changes)
    began = {stream_identity(served): {"epoch_ms": EPOCH_MS, "next": COUNT}}
    (tmp_path / "eventstreams.json").write_text(json.dumps(began))
    with listening(create_app(served, Faults())) as (_, address):
        (metrics,) = ports.find_free(1)
        urls = {"stream_url": address + PATH, "producer_metrics_port": metrics}
        yield served.model_copy(update={**urls, "kafka_bootstrap_servers": settings.bootstrap_servers})


@pytest.fixture
def raw(mine: Settings) -> Iterator[Topic]:
    with closing(Topic(mine, topics.RAW)) as topic:
        yield topic


def wanted(first: int, following: int, kind: Kind = Kind.EVENT) -> list[str | None]:
    return [row.id for row in (describe(index, SEED) for index in range(first, following)) if row.kind is kind]


def filled(mine: Settings, asked: History, limits: Limits = QUICK) -> dict[str, Any]:
    source = Archive(Path(asked.archives[0]), asked) if asked.archives else Past(mine, asked.interval)  # type: ignore[arg-type]
    return fill(mine, source, limits, SimpleNamespace(asked=False))  # type: ignore[arg-type]


def ids(topic: Topic) -> list[str]:
    return sorted(json.loads(message.value() or b"")["meta"]["id"] for message in topic.read().messages)


def test_an_interval_is_filled_exactly_and_a_second_time_nothing_is_sent(mine: Settings, raw: Topic) -> None:
    report = filled(mine, INTERVAL)
    events = wanted(FROM, TO)
    assert (report["sent"], report["finished"], report["done_before"]) == (len(events), True, False)
    assert report["canaries"] == len(wanted(FROM, TO, Kind.CANARY))
    assert report["rejected"] == len(wanted(FROM, TO, Kind.MALFORMED))
    assert (datetime.fromisoformat(report["from"]), report["resumed"]) == (INTERVAL.since, False)
    until(lambda: len(raw.read().messages) >= len(events))
    assert ids(raw) == sorted(event for event in events if event)
    assert {dict(message.headers() or ())["source"] for message in raw.messages} == {b"backfill"}
    again = filled(mine, INTERVAL)
    assert (again["read"], again["done_before"], again["finished"]) == (0, True, True)
    # only those that a longer time has beside it, and what the rewind repeats
    longer = filled(mine, History(INTERVAL.since, EPOCH + timedelta(seconds=(TO + 100) / RATE)))
    assert len(wanted(TO, TO + 100)) <= longer["sent"] <= len(wanted(TO - 3, TO + 100))
    assert filled(mine, INTERVAL, Limits(QUICK.rate, again=True))["sent"] == len(events)


def test_killed_midway_and_run_again_nothing_is_missing_and_only_the_unsure_is_repeated(
    mine: Settings, raw: Topic
) -> None:
    whole = History(EPOCH, EPOCH + timedelta(seconds=1200 / RATE))
    key = Past(mine, whole.interval).key  # type: ignore[arg-type]
    with running(mine, "producer.backfill", *whole.arguments, "--rate", "400") as child:
        until(lambda: read_position(mine, key) is not None)
        os.killpg(child.pid, signal.SIGKILL)
    position = read_position(mine, key)
    assert position is not None
    report = filled(mine, whole)
    assert report["resumed"]
    assert report["finished"]
    events = sorted(event for event in wanted(0, 1200) if event)
    until(lambda: set(ids(raw)) >= set(events))
    repeated = len(ids(raw)) - len(events)
    done = (max(timestamps(position.sse_id).values()) - mine.rewind_ms - EPOCH_MS) * RATE // 1000
    assert done > 0
    assert sorted(set(ids(raw))) == events
    assert report["sent"] <= len(wanted(done, 1200))
    assert repeated < len(wanted(0, 1200)) // 2


def test_asked_to_end_it_stops_before_the_end_and_says_so(mine: Settings) -> None:
    with running(mine, "producer.backfill", *INTERVAL.arguments, "--rate", "20", "--json") as child:
        until(lambda: read_position(mine, Past(mine, INTERVAL.interval).key) is not None)  # type: ignore[arg-type]
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 1
    assert 0 < filled(mine, INTERVAL)["sent"] < len(wanted(FROM, TO))


def test_a_stream_that_has_nothing_more_of_the_time_ends_the_reading(mine: Settings) -> None:
    short = mine.model_copy(update={"stall_timeout_s": 1.0})
    beyond = History(EPOCH + timedelta(seconds=(COUNT - 50) / RATE), datetime.now(UTC))
    report = filled(short, beyond)
    assert (report["sent"], report["finished"]) == (len(wanted(COUNT - 50, COUNT)), True)
    assert report["nothing_more"]


def test_an_archive_is_filled_with_its_bad_lines_rejected(
    mine: Settings, raw: Topic, events: list[bytes], tmp_path: Path
) -> None:
    good = [event for index, event in enumerate(events[:300]) if describe(index, SEED).kind is Kind.EVENT]
    body = b"\n".join([*good, b"not json", b"", b"[1]", b'{"meta": {"dt": "2026-01-01T00:00:00Z"}}'])
    archive = tmp_path / "archive.ndjson.gz"
    archive.write_bytes(gzip.compress(body))
    with closing(Topic(mine, topics.REJECTED)) as rejected:
        report = filled(mine, History(None, None, (str(archive),)), Limits(QUICK.rate, again=True))
        assert (report["sent"], report["rejected"], report["finished"]) == (len(good), 3, True)
        until(lambda: len(rejected.read().messages) >= 3)
        reasons = {dict(message.headers() or ())["reason"] for message in rejected.messages}
    assert reasons == {b"not_json", b"not_an_object", b"missing_event_id"}
    until(lambda: len(raw.read().messages) >= len(good))
    first = next(message for message in raw.messages if message.value() == good[0])
    assert timestamps(bytes(dict(first.headers() or ())["sse-id"]).decode()).keys() == {"eqiad.mediawiki.recentchange"}
    assert filled(mine, History(None, None, (str(archive),)))["done_before"]


def test_of_an_archive_only_the_time_that_is_asked_for_is_read(
    mine: Settings, events: list[bytes], tmp_path: Path
) -> None:
    archive = tmp_path / "archive.ndjson"
    dated = [event for index, event in enumerate(events[:1200]) if describe(index, SEED).kind is Kind.EVENT]
    archive.write_bytes(b"\n".join(dated))
    began = time.monotonic()
    report = filled(mine, History(INTERVAL.since, INTERVAL.until, (str(archive),)), Limits(2000))
    # meta.dt is often of whole seconds
    assert report["sent"] == len(wanted(FROM, TO))
    assert time.monotonic() - began > report["sent"] / 2000 * 0.7


def test_a_backfill_does_not_hide_that_the_producer_is_silent(mine: Settings) -> None:
    now, deadline = datetime.now(UTC), time.monotonic() + 20
    assert filled(mine, History(EPOCH, EPOCH + timedelta(seconds=1)))["finished"]
    assert heard_at(mine, now, deadline) == now
    live = Publisher(mine.bootstrap_servers, mine.stream_id, Ledger())
    live.send("1", None)
    live.close()
    noted = heard_at(mine, now + timedelta(hours=1), deadline)
    assert noted is not None
    assert abs(noted - now) < timedelta(minutes=1)
    assert filled(mine, History(EPOCH, EPOCH + timedelta(seconds=1)), Limits(QUICK.rate, again=True))["sent"]
    seen = observe(mine).log
    assert not isinstance(seen, str)
    assert seen.raw_at == noted
