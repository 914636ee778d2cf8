"""Payloads of all shapes, whole and broken, with the verdict that each deserves."""

from typing import Any

from freshet.contract.rejections import Reason
from spark_jobs.transforms.parse import MAX_EVENT_BYTES, MAX_ID_LENGTH
from tests.spark.builders import event, payload

WHOLE_EVENT = event(meta__id="e1")
WHOLE = payload(WHOLE_EVENT)


def changed(**changes: Any) -> bytes:
    """A whole event with these changes."""
    return payload(event(**{"meta__id": "e1", **changes}))


def with_value(member: str, token: bytes) -> bytes:
    """An event that holds a token as it stands, whether or not a JSON writer would write it."""
    return changed(**{member: "@"}).replace(b'"@"', token)


def with_text(letters: bytes) -> bytes:
    """An event whose summary holds these bytes."""
    return with_value("comment", b'"a' + letters + b'z"')


ODD_BUT_VALID: dict[str, bytes] = {
    "a modern event": WHOLE,
    "log_params an object": changed(type="log", log_type="block", log_params={"duration": "1 day"}),
    "log_params an array": changed(type="log", log_params=[1, "b"]),
    "log_params a string": changed(type="log", log_params="a:0:{}"),
    "a type that is a number as text": changed(type="142"),
    "a type that is a number": changed(type=142),
    "numbers as strings": changed(namespace="0", revision={"old": "1", "new": "2"}, length={"old": "5", "new": "6"}),
    "booleans as strings": changed(bot="true", minor="false"),
    "null members": changed(id=None, length=None, revision=None, comment=None, user=None, title=None, bot=None),
    "null inner members": changed(length={"old": None, "new": None}, revision={"old": None}),
    "absent members": changed(
        id=..., length=..., revision=..., comment=..., user=..., title=..., bot=..., minor=..., server_url=...
    ),
    "absent inner members": changed(length={}, revision={"new": 200}),
    "no domain and no uri": changed(meta__domain=..., meta__uri=...),
    "a length that is a list": changed(length=[1, 2]),
    "a length that is a number": changed(length=5),
    "a revision that is a text": changed(revision="1002"),
    "a revision that is a list": changed(revision=[1, 2]),
    "a comment that is an object": changed(comment={"text": "hm"}),
    "a user that is a list": changed(user=["Ada"]),
    "an unknown member with anything in it": changed(novelty={"deep": [{"er": [None, 1.5, "x"]}]}),
    "lengths that overflow": changed(length={"old": -(2**63), "new": 2**63 - 1}),
    "a huge integer": with_value("namespace", b"9" * 400),
    "a huge revision": WHOLE.replace(b'"new": 200', b'"new": ' + b"9" * 60),
    "a huge exponent": with_value("timestamp", b"1e999999"),
    "a fraction where an integer belongs": with_value("namespace", b"0.5"),
    "a NUL escaped in a text": with_text(rb"\u0000"),
    "half a surrogate pair": with_text(rb"\ud83d"),
    "many scripts": changed(title="Месяц 月 ירח القمر चंद्रमा", comment="Օրբիտ 🌒"),
    "blanks around it": b" \t\r\n" + WHOLE + b"\n ",
    "the same member twice": WHOLE.replace(b'"title":', b'"title": "Ice", "title":'),
    "an escaped name": WHOLE.replace(b'"wiki"', rb'"\u0077iki"'),
    "a text of half a megabyte": changed(comment="x" * (MAX_EVENT_BYTES // 2)),
}
CANARIES: dict[str, bytes] = {
    "a canary": changed(meta__domain="canary"),
    "a canary without an id": changed(meta__domain="canary", meta__id=...),
    "a canary with nothing else": b'{"meta": {"domain": "canary"}}',
}
REJECTED: dict[str, tuple[bytes | None, Reason]] = {
    "no payload": (None, Reason.NOT_JSON),
    "nothing": (b"", Reason.NOT_JSON),
    "blanks": (b" \n", Reason.NOT_JSON),
    "words": (b"upstream connect error", Reason.NOT_JSON),
    "HTML": (b"<html><body>502</body></html>", Reason.NOT_JSON),
    "half an event": (WHOLE[: len(WHOLE) // 2], Reason.NOT_JSON),
    "an event without its last brace": (WHOLE[:-1], Reason.NOT_JSON),
    "a character cut in two": (with_text(b"\xc3"), Reason.NOT_JSON),
    "invalid UTF-8 in a text": (with_text(b"\xff\xfe"), Reason.NOT_JSON),
    "a surrogate as UTF-8": (with_text(b"\xed\xa0\x80"), Reason.NOT_JSON),
    "an overlong slash": (with_text(b"\xc0\xaf"), Reason.NOT_JSON),
    "UTF-16": (WHOLE.decode().encode("utf-16"), Reason.NOT_JSON),
    "UTF-16 without its mark": (WHOLE.decode().encode("utf-16-le"), Reason.NOT_JSON),
    "a byte order mark": (b"\xef\xbb\xbf" + WHOLE, Reason.NOT_JSON),
    "a bare NUL in a text": (with_text(b"\0"), Reason.NOT_JSON),
    "a bare line break in a text": (with_text(b"\n"), Reason.NOT_JSON),
    "NUL bytes": (b"\0\0\0\0", Reason.NOT_JSON),
    "NaN": (with_value("namespace", b"NaN"), Reason.NOT_JSON),
    "Infinity": (with_value("namespace", b"-Infinity"), Reason.NOT_JSON),
    "NaN where nobody reads": (with_value("patrolled", b"NaN"), Reason.NOT_JSON),
    "single quotes": (WHOLE.replace(b'"', b"'"), Reason.NOT_JSON),
    "a trailing comma": (WHOLE[:-1] + b",}", Reason.NOT_JSON),
    "a comment of JavaScript": (b"/* hello */ " + WHOLE, Reason.NOT_JSON),
    "a leading zero": (with_value("namespace", b"007"), Reason.NOT_JSON),
    "two events glued together": (WHOLE + WHOLE, Reason.NOT_JSON),
    "an event and then rubbish": (WHOLE + b" rubbish", Reason.NOT_JSON),
    "an event that ends more than itself, and then rubbish": (WHOLE + b"] rubbish", Reason.NOT_JSON),
    "an event that ends more than itself and another": (WHOLE + b"," + WHOLE + b"] rubbish", Reason.NOT_JSON),
    "an event and a number that end more than themselves": (WHOLE + b",0] rubbish", Reason.NOT_JSON),
    "a list that ends more than itself": (b"[]] rubbish", Reason.NOT_JSON),
    "a text and then rubbish": (b'"{"meta": 1}', Reason.NOT_JSON),
    "a number and then rubbish": (b"42 rubbish", Reason.NOT_JSON),
    "nesting without end": (b"[" * 100_000, Reason.NOT_JSON),
    "an object nested without end": (b'{"a":' * 100_000, Reason.NOT_JSON),
    "an object nested too deep": (b'{"a":' * 5000 + b"1" + b"}" * 5000, Reason.NOT_JSON),
    "an empty list": (b"[]", Reason.NOT_AN_OBJECT),
    "a list": (b"[1, 2]", Reason.NOT_AN_OBJECT),
    "an event in a list": (b"[" + WHOLE + b"]", Reason.NOT_AN_OBJECT),
    "a text": (b'"event"', Reason.NOT_AN_OBJECT),
    "a number": (b"42", Reason.NOT_AN_OBJECT),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "an empty object": (b"{}", Reason.MISSING_EVENT_ID),
    "no meta": (changed(meta=...), Reason.MISSING_EVENT_ID),
    "null for meta": (changed(meta=None), Reason.MISSING_EVENT_ID),
    "a text for meta": (changed(meta="e1"), Reason.MISSING_EVENT_ID),
    "a list for meta": (changed(meta=[{"id": "e1"}]), Reason.MISSING_EVENT_ID),
    "no id": (changed(meta__id=...), Reason.MISSING_EVENT_ID),
    "null for an id": (changed(meta__id=None), Reason.MISSING_EVENT_ID),
    "a blank id": (changed(meta__id="  "), Reason.MISSING_EVENT_ID),
    "an id too long for a key": (changed(meta__id="x" * (MAX_ID_LENGTH + 1)), Reason.MISSING_EVENT_ID),
    "no time": (changed(meta__dt=...), Reason.MISSING_EVENT_TIME),
    "null for a time": (changed(meta__dt=None), Reason.MISSING_EVENT_TIME),
    "a blank time": (changed(meta__dt=""), Reason.MISSING_EVENT_TIME),
    "a word for a time": (changed(meta__dt="yesterday"), Reason.BAD_EVENT_TIME),
    "a time without a zone": (changed(meta__dt="2026-11-23T12:00:00"), Reason.BAD_EVENT_TIME),
    "a day without a time": (changed(meta__dt="2026-11-23"), Reason.BAD_EVENT_TIME),
    "seconds since the epoch": (changed(meta__dt=1795435200), Reason.BAD_EVENT_TIME),
    "the thirteenth month": (changed(meta__dt="2026-13-01T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "the thirtieth of February": (changed(meta__dt="2026-02-30T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "a zone of 99 hours": (changed(meta__dt="2026-11-23T12:00:00+99:00"), Reason.BAD_EVENT_TIME),
    "no year, month and day": (changed(meta__dt="0000-00-00T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "the year zero": (changed(meta__dt="0000-01-01T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "before computers": (changed(meta__dt="1969-12-31T23:59:59Z"), Reason.BAD_EVENT_TIME),
    "a year of six digits": (changed(meta__dt="294248-01-01T00:00:00Z"), Reason.BAD_EVENT_TIME),
    "no wiki": (changed(wiki=...), Reason.MISSING_WIKI),
    "null for a wiki": (changed(wiki=None), Reason.MISSING_WIKI),
    "no type": (changed(type=...), Reason.MISSING_TYPE),
    "null for a type": (changed(type=None), Reason.MISSING_TYPE),
    "an empty type": (changed(type=""), Reason.MISSING_TYPE),
    "too large": (changed(comment="x" * MAX_EVENT_BYTES), Reason.TOO_LARGE),
    "too large and no JSON": (b"\0" * (MAX_EVENT_BYTES + 1), Reason.TOO_LARGE),
}
