"""Damaged events through what reads them in Python, and that a reader which fails is found."""

import json
import random
from collections.abc import Callable
from itertools import islice

import pytest

from freshet.contract.rejections import Reason
from freshet.errors import PermanentError
from local.bench import material
from tests.fuzz import reading
from tests.fuzz.damage import WAYS, damaged
from tests.fuzz.transforming import agreed

MANY = 5_000
SEEDS = [material.as_record(event) for event in islice(material.events(None), 200)]
GOLD = json.dumps({"doc_id": "a", "wiki": "enwiki", "title": "Ice", "event_time": "2026-11-27T12:00:00Z"}).encode()


def test_a_seed_damages_the_same_way_again() -> None:
    once, again = ([damaged(random.Random(seed), SEEDS[0]) for seed in range(50)] for _ in range(2))
    assert once == again
    assert len(set(once)) > 40


@pytest.mark.parametrize("way", sorted(set(WAYS), key=lambda way: way.__name__), ids=lambda way: way.__name__)
def test_every_way_damages_and_takes_what_is_damaged_already(way: Callable[..., bytes]) -> None:
    dice = random.Random(1)
    assert len({way(dice, SEEDS[0]) for _ in range(20)} - {SEEDS[0]}) >= 5
    for odd in (b"", b"{", b"[]", b"{}", b"\xff", b"null"):
        assert isinstance(way(dice, odd), bytes)


def test_the_producer_gets_over_any_event_with_a_record_or_a_reason() -> None:
    fates = reading.run("producer", SEEDS, MANY, seed=1)
    assert fates.total() == MANY
    assert {"raw", Reason.NOT_JSON, Reason.NOT_AN_OBJECT, Reason.MISSING_EVENT_ID} <= set(fates)


def test_frames_are_the_same_wherever_a_damaged_stream_is_cut() -> None:
    assert reading.run("stream", [b"id: 1\ndata: " + seed + b"\n\n" for seed in SEEDS], 2_000, seed=1).total() == 2_000


@pytest.mark.parametrize("name", ["indexer", "context"])
def test_who_reads_messages_gets_over_damaged_ones_with_a_reason(name: str) -> None:
    assert reading.run(name, [GOLD, *SEEDS], MANY, seed=1).total() == MANY


@pytest.mark.parametrize("failure", [ValueError("no"), PermanentError("it does not hold")])
def test_a_reader_that_fails_is_found_with_the_payload(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fails(payload: bytes) -> str:
        if len(payload) % 7 == 0:
            raise failure
        return "read"

    monkeypatch.setitem(reading.READERS, "producer", fails)
    with pytest.raises(PermanentError, match=r"no|hold"):
        reading.run("producer", SEEDS, 200, seed=1)


def test_a_verdict_is_compared_with_what_a_strict_reader_sees() -> None:
    assert agreed("valid", b'{"a": 1}')
    assert agreed(Reason.NOT_JSON, b"{")
    assert not agreed("valid", b"{")
    assert not agreed(Reason.NOT_JSON, b'{"a": 1}')
    assert not agreed(Reason.NOT_AN_OBJECT, b'{"a": 1}')
    assert agreed(Reason.NOT_JSON, rb'{"a": "\ud800"}')
    assert agreed(Reason.TOO_LARGE, b"[]")
