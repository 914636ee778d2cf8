"""Records of wiki.gold as documents."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from freshet.contract import schemas
from freshet.contract.rejections import Reason
from freshet.contract.removals import Kind
from freshet.errors import DataError
from freshet.store.removals import Removal
from freshet.store.repository import COLUMNS, Deletion
from indexer.decode import decode
from tests.documents import NOON, gold


def as_json(**given: Any) -> bytes:
    """A record's value as Spark writes it: absent where null."""
    row = {name: value for name, value in gold(**given).items() if value is not None and name != "gold_at"}
    return json.dumps(row, default=lambda time: time.isoformat()).encode()


def test_every_column_of_the_store_is_there_with_its_type() -> None:
    document = decode(as_json(minor=True, bytes_delta=-12, quality_flags=["blanked"]), 1_795_000_000_123)
    assert document.keys() == set(COLUMNS)
    assert document["event_time"] == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert document["gold_at"].timestamp() == pytest.approx(1_795_000_000.123)
    assert (document["minor"], document["bytes_delta"], document["quality_flags"]) == (True, -12, ["blanked"])
    assert document["section"] is None


def test_times_keep_their_zone_and_milliseconds() -> None:
    document = decode(as_json(received_at="2026-11-23T10:15:30.123Z", raw_timestamp="2026-11-23T10:15:30+01:00"), 0)
    assert document["received_at"] == datetime(2026, 11, 23, 10, 15, 30, 123_000, UTC)
    assert document["raw_timestamp"] == datetime(2026, 11, 23, 10, 15, 30, tzinfo=timezone(timedelta(hours=1)))


def test_a_document_without_summary_and_flags_is_one() -> None:
    document = decode(as_json(comment=None, quality_flags=None), 0)
    assert (document["comment"], document["quality_flags"]) == ("", [])


def test_what_postgres_cannot_keep_is_replaced() -> None:
    assert decode(as_json(title="a\0b\ud800c"), 0)["title"] == "a\N{REPLACEMENT CHARACTER}b?c"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.NOT_JSON),
        (b"", Reason.NOT_JSON),
        (b"{", Reason.NOT_JSON),
        (b"\xff\xfe{}", Reason.NOT_JSON),
        (b"[]", Reason.NOT_AN_OBJECT),
        (b"{}", Reason.BAD_DOCUMENT),
        (as_json(namespace="0"), Reason.BAD_DOCUMENT),
        (as_json(namespace=True), Reason.BAD_DOCUMENT),
        (as_json(event_time="yesterday"), Reason.BAD_DOCUMENT),
        (as_json(event_time="2026-11-23T10:15:30"), Reason.BAD_DOCUMENT),
        (as_json(quality_flags=[1]), Reason.BAD_DOCUMENT),
        (b'{"deleted": true}', Reason.BAD_DOCUMENT),
        (b'{"deleted": "true", "doc_id": "a"}', Reason.BAD_DOCUMENT),
    ],
)
def test_what_is_no_document_is_rejected_with_its_reason(value: bytes | None, reason: Reason) -> None:
    with pytest.raises(DataError) as raised:
        decode(value, 0)
    assert raised.value.reason == reason


def test_a_deletion_names_its_document() -> None:
    row = dict.fromkeys(schemas.names(schemas.DELETION)) | {"doc_id": "a", "deleted": True}
    assert decode(json.dumps(row).encode(), 0) == Deletion("a")


def test_the_columns_read_are_those_of_gold() -> None:
    assert {"gold_at", *schemas.names(schemas.GOLD)} == set(COLUMNS)


REMOVAL = {
    "removal": "revision", "hides": True, "event_id": "log-1", "event_time": "2026-11-23T12:00:00Z", "wiki": "enwiki",
    "title": "Snow", "revision_ids": [7, 8],
}  # fmt: skip


def test_a_removal_is_of_a_page_or_of_revisions() -> None:
    read = decode(json.dumps(REMOVAL).encode(), 0)
    assert read == Removal(Kind.REVISION, "enwiki", ["7", "8"], NOON, event_id="log-1")
    page = REMOVAL | {"removal": "page", "hides": False, "revision_ids": None}
    read = decode(json.dumps(page).encode(), 0)
    assert read == Removal(Kind.PAGE, "enwiki", ["Snow"], NOON, lifts=True, event_id="log-1")


@pytest.mark.parametrize(
    "wrong",
    [{"removal": None}, {"removal": "user"}, {"removal": 5}, {"hides": None}, {"hides": "no"}, {"event_time": None},
     {"event_id": None}, {"wiki": None}, {"revision_ids": None}, {"revision_ids": []}, {"revision_ids": ["7"]},
     {"removal": "page", "title": None}],
)  # fmt: skip
def test_a_removal_that_does_not_say_of_what_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        decode(json.dumps(REMOVAL | wrong).encode(), 0)
