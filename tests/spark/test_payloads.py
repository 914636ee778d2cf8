"""Every payload gets a verdict: what real and broken frames are read as."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from freshet.contract.rejections import Reason
from spark_jobs.transforms.parse import CANARY, MAX_EVENT_BYTES, MAX_ID_LENGTH, VALID, parse
from spark_jobs.transforms.records import bronze
from tests.spark.edits import event, payload, raw

pytestmark = pytest.mark.spark

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def dt(text: Any) -> bytes:
    return payload(meta={"dt": text})


def with_value(member: str, token: str) -> bytes:
    """An event that holds a token as it stands, whether or not a JSON writer would write it."""
    return payload(**{member: "@"}).replace(b'"@"', token.encode())


ODD_BUT_VALID: dict[str, bytes] = {
    "a modern event": payload(),
    "log_params an object": payload(type="log", log_type="block", log_params={"duration": "1 day"}),
    "log_params an array": payload(type="log", log_params=[]),
    "log_params a string": payload(type="log", log_params="a:0:{}"),
    "a type that is a number as text": payload(type="142"),
    "a type that is a number": payload(type=142),
    "numbers as strings": payload(namespace="0", revision={"old": "1", "new": "2"}, length={"old": "5", "new": "6"}),
    "booleans as strings": payload(bot="true", minor="false"),
    "null members": payload(id=None, length=None, revision=None, comment=None, user=None, title=None, bot=None),
    "null inner members": payload(length={"old": None}, revision={"old": None}),
    "absent members": payload(id=..., length=..., revision=..., comment=..., user=..., title=..., bot=..., minor=...),
    "absent inner members": payload(length={"old": ...}, revision={"old": ...}),
    "no domain and no uri": payload(meta={"domain": ..., "uri": ...}),
    "a length that is a list": payload(length=[1, 2]),
    "a revision that is a text": payload(revision="1002"),
    "a comment that is an object": payload(comment={"text": "hm"}),
    "a user that is a list": payload(user=["Selene"]),
    "an unknown member with anything in it": payload(novelty={"deep": [{"er": [None, 1.5, "x"]}]}),
    "a huge integer": with_value("namespace", "9" * 400),
    "a huge exponent": with_value("timestamp", "1e999999"),
    "a fraction where an integer belongs": with_value("namespace", "0.5"),
    "a NUL escaped in a text": with_value("comment", r'"a\u0000b"'),
    "half a surrogate pair": with_value("comment", r'"a\ud83d b"'),
    "many scripts": payload(title="Месяц 月 ירח القمر चंद्रमा", comment="Օրբիտ 🌒"),
    "blanks around it": b" \t\r\n" + payload() + b"\n ",
    "the same member twice": payload().replace(b'"wiki": "enwiki"', b'"wiki": "dewiki", "wiki": "enwiki"'),
    "an escaped name": payload().replace(b'"wiki"', rb'"\u0077iki"'),
    "a text of half a megabyte": payload(comment="x" * (MAX_EVENT_BYTES // 2)),
}
CANARIES: dict[str, bytes] = {
    "a canary": payload(meta={"domain": "canary"}),
    "a canary without an id": payload(meta={"domain": "canary", "id": ...}),
    "a canary with nothing else": b'{"meta": {"domain": "canary"}}',
}
REJECTED: dict[str, tuple[bytes | None, Reason]] = {
    "no payload": (None, Reason.NOT_JSON),
    "nothing": (b"", Reason.NOT_JSON),
    "blanks": (b" \n", Reason.NOT_JSON),
    "words": (b"upstream connect error", Reason.NOT_JSON),
    "HTML": (b"<html><body>502</body></html>", Reason.NOT_JSON),
    "half an event": (payload()[:300], Reason.NOT_JSON),
    "an event without its last brace": (payload()[:-1], Reason.NOT_JSON),
    "a text cut in the middle of a character": (
        payload(comment="é")[:-1].replace("é".encode(), b"\xc3"),
        Reason.NOT_JSON,
    ),
    "invalid UTF-8 in a text": (payload(comment="@").replace(b"@", b"\xff\xfe"), Reason.NOT_JSON),
    "a surrogate as UTF-8": (payload(comment="@").replace(b"@", b"\xed\xa0\x80"), Reason.NOT_JSON),
    "an overlong slash": (payload(comment="@").replace(b"@", b"\xc0\xaf"), Reason.NOT_JSON),
    "UTF-16": (payload().decode().encode("utf-16"), Reason.NOT_JSON),
    "UTF-16 without its mark": (payload().decode().encode("utf-16-le"), Reason.NOT_JSON),
    "a byte order mark": (b"\xef\xbb\xbf" + payload(), Reason.NOT_JSON),
    "a bare NUL in a text": (payload(comment="@").replace(b"@", b"\0"), Reason.NOT_JSON),
    "a bare line break in a text": (payload(comment="@").replace(b"@", b"\n"), Reason.NOT_JSON),
    "NUL bytes": (b"\0\0\0\0", Reason.NOT_JSON),
    "NaN": (with_value("namespace", "NaN"), Reason.NOT_JSON),
    "Infinity": (with_value("namespace", "-Infinity"), Reason.NOT_JSON),
    "NaN where nobody reads": (with_value("patrolled", "NaN"), Reason.NOT_JSON),
    "single quotes": (payload().replace(b'"', b"'"), Reason.NOT_JSON),
    "a trailing comma": (payload()[:-1] + b",}", Reason.NOT_JSON),
    "a comment of JavaScript": (b"/* hello */ " + payload(), Reason.NOT_JSON),
    "a leading zero": (with_value("namespace", "007"), Reason.NOT_JSON),
    "two events glued together": (payload() + payload(), Reason.NOT_JSON),
    "an event and then rubbish": (payload() + b" rubbish", Reason.NOT_JSON),
    "nesting without end": (b"[" * 100_000, Reason.NOT_JSON),
    "an object nested without end": (b'{"a":' * 100_000, Reason.NOT_JSON),
    "a list": (b"[1, 2]", Reason.NOT_AN_OBJECT),
    "an event in a list": (b"[" + payload() + b"]", Reason.NOT_AN_OBJECT),
    "a text": (b'"event"', Reason.NOT_AN_OBJECT),
    "a number": (b"42", Reason.NOT_AN_OBJECT),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "an empty object": (b"{}", Reason.MISSING_EVENT_ID),
    "no meta": (payload(meta=...), Reason.MISSING_EVENT_ID),
    "null for meta": (payload(meta=None), Reason.MISSING_EVENT_ID),
    "a text for meta": (payload(meta="e1"), Reason.MISSING_EVENT_ID),
    "a list for meta": (payload(meta=[{"id": "e1"}]), Reason.MISSING_EVENT_ID),
    "no id": (payload(meta={"id": ...}), Reason.MISSING_EVENT_ID),
    "null for an id": (payload(meta={"id": None}), Reason.MISSING_EVENT_ID),
    "a blank id": (payload(meta={"id": "  "}), Reason.MISSING_EVENT_ID),
    "an id too long for a key": (payload(meta={"id": "x" * (MAX_ID_LENGTH + 1)}), Reason.MISSING_EVENT_ID),
    "no time": (payload(meta={"dt": ...}), Reason.MISSING_EVENT_TIME),
    "null for a time": (dt(None), Reason.MISSING_EVENT_TIME),
    "a blank time": (dt(""), Reason.MISSING_EVENT_TIME),
    "a word for a time": (dt("yesterday"), Reason.BAD_EVENT_TIME),
    "a time without a zone": (dt("2026-11-23T12:00:00"), Reason.BAD_EVENT_TIME),
    "a day without a time": (dt("2026-11-23"), Reason.BAD_EVENT_TIME),
    "seconds since the epoch": (dt(1795435200), Reason.BAD_EVENT_TIME),
    "the thirteenth month": (dt("2026-13-01T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "the thirtieth of February": (dt("2026-02-30T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "a zone of 99 hours": (dt("2026-11-23T12:00:00+99:00"), Reason.BAD_EVENT_TIME),
    "the year zero": (dt("0000-00-00T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "before computers": (dt("1969-12-31T23:59:59Z"), Reason.BAD_EVENT_TIME),
    "a year of six digits": (dt("294248-01-01T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "no wiki": (payload(wiki=...), Reason.MISSING_WIKI),
    "null for a wiki": (payload(wiki=None), Reason.MISSING_WIKI),
    "no type": (payload(type=...), Reason.MISSING_TYPE),
    "an empty type": (payload(type=""), Reason.MISSING_TYPE),
    "too large": (payload(comment="x" * MAX_EVENT_BYTES), Reason.TOO_LARGE),
    "too large and no JSON": (b"\0" * (MAX_EVENT_BYTES + 1), Reason.TOO_LARGE),
}
TIMES: dict[str, datetime] = {
    "2026-11-23T12:00:00Z": NOON,
    "2026-11-23T12:00:00+00:00": NOON,
    "2026-11-23T12:00:00.250Z": NOON.replace(microsecond=250_000),
    "2026-11-23T12:00:00.123456Z": NOON.replace(microsecond=123_456),
    "2026-11-23T12:00:00.123456789Z": NOON.replace(microsecond=123_456),
    "2026-11-23T14:30:00+02:30": NOON,
    "2026-11-23T04:00:00-0800": NOON,
    "2024-02-29T23:59:59Z": datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
}


@pytest.fixture(scope="module")
def parsed(spark: SparkSession) -> dict[bytes | None, Row]:
    """All payloads of this module through one job, by payload."""
    payloads = [
        *ODD_BUT_VALID.values(),
        *CANARIES.values(),
        *(value for value, _ in REJECTED.values()),
        *map(dt, TIMES),
    ]
    rows = parse(bronze(raw(spark, payloads))).collect()
    assert len(rows) == len(payloads)
    return {None if row["value"] is None else bytes(row["value"]): row for row in rows}


@pytest.mark.parametrize("name", ODD_BUT_VALID)
def test_what_is_odd_is_still_an_event(parsed: dict[bytes | None, Row], name: str) -> None:
    row = parsed[ODD_BUT_VALID[name]]
    assert (row["verdict"], row["error"]) == (VALID, None)
    assert (row["event"]["meta"]["id"], row["event"]["wiki"]) == ("e1", "enwiki")


@pytest.mark.parametrize("name", CANARIES)
def test_a_canary_is_known_by_its_domain_alone(parsed: dict[bytes | None, Row], name: str) -> None:
    assert parsed[CANARIES[name]]["verdict"] == CANARY


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_no_event_has_a_reason_and_a_sentence(parsed: dict[bytes | None, Row], name: str) -> None:
    value, reason = REJECTED[name]
    assert parsed[value]["verdict"] == reason
    assert parsed[value]["error"]


@pytest.mark.parametrize("text", TIMES)
def test_every_way_to_write_a_time_is_the_same_moment(parsed: dict[bytes | None, Row], text: str) -> None:
    row = parsed[dt(text)]
    assert row["verdict"] == VALID
    assert row["event_time"].astimezone(UTC) == TIMES[text]


def test_the_members_of_the_contract_are_read_and_no_others(parsed: dict[bytes | None, Row]) -> None:
    read = parsed[payload()]["event"].asDict(recursive=True)
    sent = event()
    assert read["meta"] == {name: sent["meta"][name] for name in ("id", "dt", "domain", "uri")}
    assert read["revision"] == {"old": "1001", "new": "1002"}
    assert (read["title"], read["user"], read["bot"]) == ("Moon", "Selene", "false")
    assert "title_url" not in read


def test_a_misshapen_member_does_not_take_the_others_with_it(parsed: dict[bytes | None, Row]) -> None:
    read = parsed[ODD_BUT_VALID["a length that is a list"]]["event"]
    assert (read["length"], read["title"], read["revision"]["new"], read["comment"]) == (
        None, "Moon", "1002", event()["comment"],
    )  # fmt: skip


def test_the_error_says_what_was_found(parsed: dict[bytes | None, Row]) -> None:
    errors = {name: parsed[value]["error"] for name, (value, _) in REJECTED.items()}
    assert errors["a word for a time"] == "meta.dt is yesterday"
    assert errors["an id too long for a key"] == "meta.id has 129 characters"
    assert errors["too large and no JSON"] == "1048577 bytes"
    assert errors["UTF-16"] == "the payload is not UTF-8"
    assert json.dumps(errors["no payload"]) == '"there is no payload"'
