"""Every payload gets exactly one verdict, and none stops a task."""

import json

import pytest

from spark_jobs.transforms.parse import MAX_EVENT_BYTES, parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import events, silver
from tests.spark.builders import RECEIVED_MS, RECORD, Record, event, payload, raw, without

pytestmark = pytest.mark.spark

WHOLE = payload(event())

VERDICTS = {
    "a modern edit": (WHOLE, "valid"),
    "white space around it": (b" \n" + WHOLE + b"\n ", "valid"),
    "unknown members": (payload(event(surprise={"deep": [1, {"er": None}]})), "valid"),
    "log_params as an object": (payload(event(type="log", log_params={"a": 1})), "valid"),
    "log_params as an array": (payload(event(type="log", log_params=[1, "b"])), "valid"),
    "log_params as a text": (payload(event(type="log", log_params="4::x")), "valid"),
    "a numeric type": (payload(event(type="142")), "valid"),
    "a number as type": (payload(event(type=142)), "valid"),
    "numbers as texts": (payload(event(namespace="0", revision={"old": "1", "new": "2"})), "valid"),
    "a huge integer": (WHOLE.replace(b"1900000000", b"9" * 400), "valid"),
    "a huge revision": (WHOLE.replace(b'"new": 200', b'"new": ' + b"9" * 60), "valid"),
    "lengths that overflow": (payload(event(length={"old": -(2**63), "new": 2**63 - 1})), "valid"),
    "a lone surrogate": (WHOLE.replace(b"Snow", rb"Sn\ud800ow"), "valid"),
    "an escaped NUL": (WHOLE.replace(b"Snow", rb"Sn\u0000ow"), "valid"),
    "a duplicate key": (WHOLE.replace(b'"title":', b'"title": "Ice", "title":'), "valid"),
    "length as a number": (payload(event(length=5)), "valid"),
    "revision as an array": (payload(event(revision=[1, 2])), "valid"),
    "everything optional absent": (
        payload(without(event(), "id", "length", "revision", "comment", "user", "bot", "minor", "title", "server_url")),
        "valid",
    ),
    "everything optional null": (
        payload(event(id=None, length=None, revision=None, comment=None, user=None, bot=None, title=None)),
        "valid",
    ),
    "members of members null": (payload(event(length={"old": None, "new": None}, revision={"new": None})), "valid"),
    "a canary": (payload(event(meta__domain="canary")), "canary"),
    "a canary without anything": (b'{"meta": {"domain": "canary"}}', "canary"),
    "nothing": (None, "not_json"),
    "no bytes": (b"", "not_json"),
    "blanks": (b"  \n", "not_json"),
    "a text that is no JSON": (b"event: message", "not_json"),
    "half an event": (WHOLE[: len(WHOLE) // 2], "not_json"),
    "all but the last brace": (WHOLE[:-1], "not_json"),
    "invalid UTF-8": (WHOLE.replace(b"Snow", b"Sn\xff\xfeow"), "not_json"),
    "a raw NUL": (WHOLE.replace(b"Snow", b"Sn\x00ow"), "not_json"),
    "a byte order mark": (b"\xef\xbb\xbf" + WHOLE, "not_json"),
    "NaN": (WHOLE.replace(b"1900000000", b"NaN").replace(b'"title": "Snow"', b'"title": NaN'), "not_json"),
    "deep nesting": (b'{"a":' * 5000 + b"1" + b"}" * 5000, "not_json"),
    "an array": (b"[" + WHOLE + b"]", "not_an_object"),
    "an empty array": (b"[]", "not_an_object"),
    "a number": (b"42", "not_an_object"),
    "a text": (b'"x"', "not_an_object"),
    "null": (b"null", "not_an_object"),
    "an empty object": (b"{}", "missing_event_id"),
    "meta as a text": (payload(event(meta="x")), "missing_event_id"),
    "no id": (payload(without(event(), "meta__id")), "missing_event_id"),
    "a null id": (payload(event(meta__id=None)), "missing_event_id"),
    "a blank id": (payload(event(meta__id=" ")), "missing_event_id"),
    "an id that fits no index": (payload(event(meta__id="x" * 129)), "missing_event_id"),
    "no time": (payload(without(event(), "meta__dt")), "missing_event_time"),
    "a time that is none": (payload(event(meta__dt="yesterday")), "bad_event_time"),
    "a 30th of February": (payload(event(meta__dt="2026-02-30T00:00:00Z")), "bad_event_time"),
    "a time without a zone": (payload(event(meta__dt="2026-02-03T00:00:00")), "bad_event_time"),
    "a time as a number": (payload(event(meta__dt=1_700_000_000)), "bad_event_time"),
    "the year zero": (payload(event(meta__dt="0000-01-01T00:00:00Z")), "bad_event_time"),
    "no wiki": (payload(without(event(), "wiki")), "missing_wiki"),
    "no type": (payload(event(type=None)), "missing_type"),
    "more than fits": (payload(event(comment="x" * MAX_EVENT_BYTES)), "too_large"),
}


@pytest.fixture(scope="module")
def judged(spark):
    """Verdict and error of every payload, by what it is."""
    rows = [Record(value, offset=place).as_tuple() for place, (value, _) in enumerate(VERDICTS.values())]
    made = events(parse(bronze(spark.createDataFrame(rows, RECORD)))).collect()
    return {name: made[place] for place, name in enumerate(VERDICTS)}


@pytest.mark.parametrize("name", VERDICTS)
def test_every_payload_has_the_verdict_it_deserves(judged, name):
    assert judged[name]["verdict"] == VERDICTS[name][1]


def test_exactly_the_rejected_rows_say_what_is_wrong(judged):
    for name, row in judged.items():
        assert bool(row["error"]) == (row["verdict"] not in ("valid", "canary")), name


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-23T10:15:30Z", "2026-11-23T10:15:30"),
        ("2026-11-23T10:15:30.123Z", "2026-11-23T10:15:30.123"),
        ("2017-07-13T10:55:31+00:00", "2017-07-13T10:55:31"),
        ("2026-11-23T10:15:30+02:00", "2026-11-23T08:15:30"),
    ],
)
def test_times_are_read_as_utc(records, text, iso):
    frame = silver(parse(bronze(records([raw(event(meta__dt=text))]))))
    assert frame.selectExpr("cast(event_time as string) AS t").first()["t"].replace(" ", "T") == iso


def test_a_record_without_headers_was_received_when_it_was_logged(records):
    with_headers, without_headers = (
        bronze(records([Record(WHOLE), Record(WHOLE, offset=1, headers=None)])).orderBy("offset").collect()
    )
    assert with_headers["received_at"].timestamp() * 1000 == RECEIVED_MS
    assert (without_headers["source"], without_headers["sse_id"]) == ("unknown", None)
    assert without_headers["received_at"] == without_headers["kafka_timestamp"]


def test_headers_that_are_no_times_are_as_if_absent(records):
    for value in (b"", b"soon", b"-1", b"9" * 30, b"\xff"):
        row = bronze(records([Record(WHOLE, headers={"received-at": value})])).first()
        assert row["received_at"] == row["kafka_timestamp"], value


def test_bronze_keeps_the_bytes(records):
    odd = b"\x00\xff\xfe not even text"
    assert bytes(bronze(records([Record(odd)])).first()["value"]) == odd


def test_the_last_of_duplicate_keys_wins_as_in_other_parsers(records):
    value = WHOLE.replace(b'"title":', b'"title": "Ice", "title":')
    assert silver(parse(bronze(records([Record(value)])))).first()["title"] == json.loads(value)["title"]
