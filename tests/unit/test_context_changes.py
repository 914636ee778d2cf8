"""What records say about pages."""

import json
from typing import Any

import pytest

from context.changes import Deleted, Edited, Moved, of_gold, of_silver, target_of
from freshet.contract.pages import Page
from freshet.errors import DataError
from tests.documents import NOON, gold

ETNA = Page("itwiki", "Etna")


def written(row: Any) -> bytes:
    return json.dumps(row, default=lambda moment: moment.isoformat()).encode()


def log_event(**given: Any) -> bytes:
    place = {"raw_topic": "wiki.raw", "raw_partition": 2, "raw_offset": 17}
    row = {"wiki": "itwiki", "title": "Etna", "event_time": NOON, "type": "log", **place}
    return written({**row, "log_type": "delete", "log_action": "delete", **given})


def test_an_edit_tells_its_page_and_whether_it_is_of_now() -> None:
    row = gold(wiki="itwiki", title="Et\x00na")
    assert of_gold(written(row)) == Edited(Page("itwiki", "Et\N{REPLACEMENT CHARACTER}na"), NOON, NOON, True)
    late = of_gold(written(gold(source="backfill")))
    assert late is not None
    assert not late.live
    assert of_gold(written({"doc_id": "1", "deleted": True})) is None
    assert of_gold(written({"removal": "page", "hides": True, "wiki": "itwiki", "title": "Etna"})) is None


def test_a_move_tells_where_its_new_title_is_found() -> None:
    assert of_silver(log_event(log_type="move", log_action="move_redir")) == Moved(ETNA, NOON, 2, 17)
    assert target_of(written({"log_params": {"target": "Etna_(vulcano)", "noredir": "1"}})) == "Etna (vulcano)"


@pytest.mark.parametrize("action", ["delete", "delete_redir", "delete_redir2"])
def test_a_deletion_tells_that_there_is_no_page(action: str) -> None:
    assert of_silver(log_event(log_action=action)) == Deleted(ETNA)


@pytest.mark.parametrize("action", ["restore", "revision", "event", None])
def test_what_hides_or_brings_back_is_no_deletion(action: str | None) -> None:
    assert of_silver(log_event(log_action=action)) is None


def test_any_other_event_is_not_even_read() -> None:
    assert of_silver(b'{"type": "edit", "comment": ') is None
    assert of_silver(log_event(log_type="block", log_action="delete")) is None
    assert of_silver(None) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        written({"wiki": "itwiki"}),
        written(gold(title="")),
        written(gold(title="x" * 513)),
        written({**gold(), "title": 7}),
        written(gold(event_time="yesterday")),
        written(gold(received_at="2026-11-27T12:00:00")),
    ],
)
def test_what_is_no_edit_is_refused(value: bytes) -> None:
    with pytest.raises(DataError):
        of_gold(value)


@pytest.mark.parametrize(
    "payload", [b"null", written({}), written({"log_params": []}), written({"log_params": {"target": 7}})]
)
def test_a_move_without_a_title_is_refused(payload: bytes) -> None:
    with pytest.raises(DataError):
        target_of(payload)


@pytest.mark.parametrize("place", [{"raw_offset": None}, {"raw_offset": True}, {"raw_partition": -1}])
def test_a_move_without_a_place_is_refused(place: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        of_silver(log_event(log_type="move", **place))
