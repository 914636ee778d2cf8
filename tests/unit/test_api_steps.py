"""What each step of a trace says was done to the fields."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.models.traces import Layer, Raw
from api.steps import CONCLUDED, SAID, raw_to_silver, silver_to_gold, steps
from freshet.contract import schemas
from tests.documents import NOON, gold

PAYLOAD: dict[str, Any] = {
    "$schema": "/mediawiki/recentchange/1.0.1",
    "meta": {"id": "event-1", "dt": "2026-11-23T13:00:00+01:00", "domain": "en.wikipedia.org", "stream": "x"},
    "wiki": "enwiki",
    "type": "edit",
    "namespace": 0,
    "title": "Nile",
    "user": "Ada",
    "bot": False,
    "minor": False,
    "comment": "/* Course */ [[Nile|the Nile]]",
    "parsedcomment": "<b>the Nile</b>",
    "length": {"old": 100, "new": 120},
    "revision": {"old": 1, "new": 2},
    "log_params": {"img": {"sha1": "x"}},
    "log_id": None,
}
SILVER: dict[str, Any] = dict.fromkeys(schemas.names(schemas.SILVER)) | {
    "event_id": "event-1",
    "event_time": NOON,
    "wiki": "enwiki",
    "domain": "en.wikipedia.org",
    "language": "en",
    "type": "edit",
    "namespace": 0,
    "title": "Nile",
    "user_name": "Ada",
    "user_kind": "registered",
    "minor": False,
    "comment": "the Nile",
    "section": "Course",
    "bytes_old": 100,
    "bytes_new": 120,
    "bytes_delta": 20,
    "revision_id": 2,
    "parent_revision_id": 1,
    "source": "live",
    "transform_version": "1",
}


def raw(payload: str | None, encoding: Any = "utf-8") -> Raw:
    return Raw(
        topic="wiki.raw", partition=0, offset=1, timestamp=NOON, headers={}, payload=payload, encoding=encoding,
        found_in=None, status="",
    )  # fmt: skip


def test_of_the_payload_only_what_says_something_else_is_changed() -> None:
    step = raw_to_silver(PAYLOAD, SILVER)
    assert step.changed is not None
    assert [change.model_dump() for change in step.changed] == [
        {"field": "comment", "before": "/* Course */ [[Nile|the Nile]]", "after": "the Nile"}
    ]


def test_what_nothing_of_the_payload_says_by_itself_is_added() -> None:
    added = raw_to_silver(PAYLOAD, SILVER).added
    assert added == ["language", "user_kind", "section", "bytes_delta", "source", "transform_version"]


def test_what_no_column_is_made_of_is_dropped() -> None:
    assert raw_to_silver(PAYLOAD, SILVER).dropped == ["$schema", "meta.stream", "parsedcomment", "log_params"]


@pytest.mark.parametrize(
    ("given", "column", "value"),
    [
        ({"namespace": "0"}, "namespace", 0),
        ({"minor": "false"}, "minor", False),
        ({"type": 142}, "type", "142"),
        ({"meta": {"dt": "2026-11-23T12:00:00.123456Z"}}, "event_time", NOON + timedelta(milliseconds=123)),
        ({"meta": {"dt": "2026-11-23 12:00:00"}}, "event_time", NOON),
    ],
)
def test_the_same_written_in_another_way_is_not_changed(given: dict[str, Any], column: str, value: Any) -> None:
    step = raw_to_silver(given, {column: value})
    assert (step.added, step.changed, step.dropped) == ([], [], [])


@pytest.mark.parametrize(
    ("given", "column", "value"),
    [
        ({"namespace": "talk"}, "namespace", None),
        ({"title": " Nile"}, "title", "Nile"),
        ({"length": {"old": 1e400}}, "bytes_old", None),
        ({"meta": {"dt": "yesterday"}}, "event_time", NOON),
        ({"meta": {"dt": "2026-11-23T12:00:01Z"}}, "event_time", NOON),
    ],
)
def test_what_is_not_the_same_is_changed(given: dict[str, Any], column: str, value: Any) -> None:
    step = raw_to_silver(given, {column: value})
    assert step.changed
    assert [change.field for change in step.changed] == [column]


def test_a_field_with_two_places_is_taken_from_the_first_that_is_there() -> None:
    only_server = raw_to_silver({"server_name": "de.wikipedia.org"}, {"domain": "de.wikipedia.org"})
    assert (only_server.added, only_server.changed, only_server.dropped) == ([], [], [])


def test_gold_is_silver_with_a_text_and_without_what_nobody_searches() -> None:
    document = gold(title="Nile", comment="the Nile", language="en")
    silver = {name: document.get(name) for name in schemas.names(schemas.SILVER)}
    step = silver_to_gold(silver | {"domain": "en.wikipedia.org", "bytes_old": 100, "log_type": None}, document)
    assert step.added == ["doc_id", "text", "content_hash", "quality_flags"]
    assert (step.changed, step.dropped) == ([], ["domain", "bytes_old"])


def test_both_steps_are_told_by_their_layers() -> None:
    first, second = steps(raw(json.dumps(PAYLOAD)), Layer(status="found", row=SILVER), gold(title="Nile"))
    assert (first.source, first.target, second.source, second.target) == ("raw", "silver", "silver", "gold")
    assert first.model_dump(by_alias=True)["from"] == "raw"
    assert first.added
    assert second.added


@pytest.mark.parametrize(
    ("record", "silver", "told"),
    [
        (raw(json.dumps(PAYLOAD)), None, [False, False]),
        (raw(None, None), SILVER, [False, True]),
        (raw("//4=", "base64"), SILVER, [False, True]),
        (raw("[1]"), SILVER, [False, True]),
        (raw("{"), SILVER, [False, True]),
        (raw('{"a":' * 500 + "1" + "}" * 500), SILVER, [False, True]),
    ],
)
def test_a_step_whose_layer_is_not_there_says_nothing(
    record: Raw, silver: dict[str, Any] | None, told: list[bool]
) -> None:
    found = steps(record, Layer(status="not yet", row=silver), gold())
    assert [step.added is not None for step in found] == told
    assert [step.changed is not None for step in found] == [step.dropped is not None for step in found] == told


def test_the_tables_name_columns_of_silver_and_each_once() -> None:
    columns = schemas.names(schemas.SILVER)
    lineage = {field.name for field in schemas.LINEAGE}
    assert set(SAID) | set(CONCLUDED) | lineage | {"transform_version"} == set(columns)
    assert not set(SAID) & set(CONCLUDED)


def test_times_are_compared_whatever_their_zone() -> None:
    there = datetime(2026, 11, 23, 4, tzinfo=UTC) + timedelta(hours=8)
    assert silver_to_gold({"event_time": there}, {"event_time": NOON}).changed == []
