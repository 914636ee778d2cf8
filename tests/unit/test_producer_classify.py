"""What becomes of one frame."""

import json

import pytest

from freshet.contract import topics
from freshet.contract.rejections import Reason
from producer.classify import MAX_VALUE_BYTES, Record, classify, refused
from producer.frames import Frame

EVENT = {"meta": {"id": "e1", "domain": "en.wikipedia.org"}, "wiki": "enwiki", "title": "Moon"}


def made(data: bytes) -> Record:
    record = classify(Frame('[{"timestamp":5}]', "message", data), 1234, "recording")
    assert record is not None
    return record


def test_an_event_goes_to_raw_byte_for_byte_under_its_page() -> None:
    data = json.dumps(EVENT, indent=3).encode()
    record = made(data)
    assert (record.topic, record.value, record.key, record.reason) == (topics.RAW, data, b"enwiki:Moon", None)
    assert dict(record.headers) == {"sse-id": b'[{"timestamp":5}]', "received-at": b"1234", "source": b"recording"}


def test_a_canary_becomes_nothing() -> None:
    canary = {"meta": {"id": "e1", "domain": "canary"}}
    assert classify(Frame("", "message", json.dumps(canary).encode()), 0, "live") is None


@pytest.mark.parametrize("page", [{}, {"wiki": None, "title": 7}, {"wiki": ["x"], "title": {}}])
def test_an_event_with_an_odd_page_still_goes_to_raw(page: dict[str, object]) -> None:
    record = made(json.dumps({"meta": {"id": "e1"}, **page}).encode())
    assert (record.topic, record.key) == (topics.RAW, b":")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b'{"meta": {"id": "e1"', Reason.NOT_JSON),
        (b'{"meta": {"id": "e1"}, "x": NaN}', Reason.NOT_JSON),
        (b'{"meta": {"id": "\xff"}}', Reason.NOT_JSON),
        (b"[" * 100_000, Reason.NOT_JSON),
        ('{"meta": {"id": "e1"}}'.encode("utf-16"), Reason.NOT_JSON),
        (b"[1]", Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"{}", Reason.MISSING_EVENT_ID),
        (b'{"meta": []}', Reason.MISSING_EVENT_ID),
        (b'{"meta": {"id": ""}}', Reason.MISSING_EVENT_ID),
        (b'{"meta": {"id": 7}}', Reason.MISSING_EVENT_ID),
    ],
)
def test_what_is_no_event_is_rejected_with_its_bytes(data: bytes, reason: Reason) -> None:
    record = made(data)
    headers = dict(record.headers)
    assert (record.topic, record.value, record.reason) == (topics.REJECTED, data, reason)
    assert (headers["reason"], headers["stage"]) == (reason.encode(), b"producer")
    assert headers["error"]
    assert headers["received-at"] == b"1234"


def test_what_is_too_large_is_cut_and_its_full_length_told() -> None:
    data = b'{"meta": {"id": "e1"}, "comment": "' + b"x" * MAX_VALUE_BYTES + b'"}'
    record = made(data)
    assert record.reason is Reason.TOO_LARGE
    assert record.value == data[:MAX_VALUE_BYTES]
    assert str(len(data)).encode() in dict(record.headers)["error"]


def test_a_title_with_a_lone_surrogate_has_a_key() -> None:
    assert made(b'{"meta": {"id": "e1"}, "wiki": "enwiki", "title": "a\\ud800"}').key == b"enwiki:a?"


def test_a_record_that_the_broker_refuses_keeps_its_beginning_and_its_headers() -> None:
    record = refused(made(json.dumps(EVENT).encode()), keep_bytes=20)
    assert record.reason is Reason.TOO_LARGE
    assert record.value == json.dumps(EVENT).encode()[:20]
    assert dict(record.headers)["source"] == b"recording"
