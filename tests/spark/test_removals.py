"""Log events of deleted pages and hidden revisions become removals, and a removal covers what it names."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from freshet.contract import schemas, topics
from freshet.contract.removals import NAMED_BY, Kind, Origin, Standing, target, targets
from freshet.errors import DataError
from freshet.store.covered import rows as in_table
from freshet.store.removals import Removal
from indexer.decode import decode
from spark_jobs.serve import outgoing
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.removals import covered, standing, uncovered
from spark_jobs.transforms.silver import events
from tests.spark.builders import RULE, Record, event, frame, numbered, payload

pytestmark = pytest.mark.spark

HIDDEN = {"type": "revision", "ids": ["200", "201"], "ofield": 0, "nfield": 1}


def log(action: str, params: Any = None, log_type: str = "delete", **changes: Any) -> bytes:
    """A log event as MediaWiki sends it: it has no revision and no length."""
    given = {"log_type": log_type, "log_action": action, "log_params": params, "revision": ..., "length": ...}
    return payload(event(type="log", **given, **changes))


REMOVALS: dict[str, tuple[bytes, tuple[Any, ...]]] = {
    "a page is deleted": (log("delete", []), ("page", True, None)),
    "a page made way for a move": (log("delete_redir"), ("page", True, None)),
    "a page made way for a move of somebody else": (log("delete_redir2"), ("page", True, None)),
    "a page is suppressed": (log("delete", log_type="suppress"), ("page", True, None)),
    "a page is restored": (log("restore", {"count": {"revisions": 3}}), ("page", False, None)),
    "the text of revisions is hidden": (log("revision", HIDDEN), ("revision", True, [200, 201])),
    "a comment is hidden": (log("revision", HIDDEN | {"nfield": 2}), ("revision", True, [200, 201])),
    "a user is hidden": (log("revision", HIDDEN | {"nfield": "4"}), ("revision", True, [200, 201])),
    "all of it is suppressed": (log("revision", HIDDEN | {"nfield": 15}, "suppress"), ("revision", True, [200, 201])),
    "all is shown again": (log("revision", HIDDEN | {"ofield": 7, "nfield": 0}), ("revision", False, [200, 201])),
    "ids are one text": (log("revision", HIDDEN | {"ids": "7, 8"}), ("revision", True, [7, 8])),
    "ids are numbers": (log("revision", HIDDEN | {"ids": [7]}), ("revision", True, [7])),
    "revisions of a deleted page": (log("revision", HIDDEN | {"type": "archive"}), ("revision", True, [200, 201])),
}
UNREADABLE: dict[str, bytes] = {
    "no parameters": log("revision"),
    "parameters of old": log("revision", ["revision", "200", "ofield=0", "nfield=1"]),
    "parameters that are a text": log("revision", "a:0:{}"),
    "no ids": log("revision", {"type": "revision", "nfield": 1}),
    "ids that are none": log("revision", HIDDEN | {"ids": ["x"]}),
    "an id too many": log("revision", HIDDEN | {"ids": ["200", ""]}),
    "an id below zero": log("revision", HIDDEN | {"ids": [-1]}),
    "an id too large": log("revision", HIDDEN | {"ids": ["9" * 30]}),
    "no bits": log("revision", {"type": "revision", "ids": ["200"]}),
    "bits that are a word": log("revision", HIDDEN | {"nfield": "all"}),
    "a page without a title": log("delete", title=None),
}
NONE: dict[str, bytes] = {
    "log entries are hidden": log("event", {"type": "logging", "ids": ["5"], "ofield": 0, "nfield": 1}),
    "old versions of a file are hidden": log("revision", HIDDEN | {"type": "oldimage", "ids": ["20260101!Snow.jpg"]}),
    "a page is protected": log("protect", log_type="protect"),
    "a move": log("move", {"target": "Ice"}, "move"),
    "an edit that names a log": payload(event(log_type="delete", log_action="delete")),
}
ALL = {**{name: value for name, (value, _) in REMOVALS.items()}, **UNREADABLE, **NONE}


@pytest.fixture(scope="module")
def on_gold(spark: SparkSession) -> dict[str, list[Any]]:
    """The records of `wiki.gold` that each event gives, those of edits left out."""
    names = list(ALL)
    found: dict[str, list[Any]] = {name: [] for name in names}
    for row in outgoing(frame(spark, numbered(ALL.values())), RULE).where(f"topic = '{topics.GOLD}'").collect():
        made = json.loads(row["value"])
        if "removal" in made:
            assert tuple(made) == schemas.names(schemas.REMOVAL)
            assert bytes(row["key"]) == b"enwiki:Page"
            found[names[made["raw_offset"]]].append(bytes(row["value"]))
    return found


@pytest.mark.parametrize("name", REMOVALS)
def test_it_is_a_removal_under_the_key_of_the_page(on_gold: dict[str, list[Any]], name: str) -> None:
    (value,) = on_gold[name]
    made = json.loads(value)
    assert (made["removal"], made["hides"], made["revision_ids"]) == REMOVALS[name][1]
    assert (made["wiki"], made["title"], made["event_time"]) == ("enwiki", "Snow", "2026-11-23T10:15:30.123Z")
    read = decode(value, 0)
    assert isinstance(read, Removal)
    kind, hides, ids = REMOVALS[name][1]
    assert (read.kind, read.lifts, read.names) == (kind, not hides, [str(one) for one in ids] if ids else ["Snow"])


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_does_not_say_what_it_hides_is_passed_on_and_refused_with_a_reason(
    on_gold: dict[str, list[Any]], name: str
) -> None:
    (value,) = on_gold[name]
    with pytest.raises(DataError, match=r"missing|names no"):
        decode(value, 0)


@pytest.mark.parametrize("name", NONE)
def test_other_events_remove_nothing(on_gold: dict[str, list[Any]], name: str) -> None:
    assert on_gold[name] == []


MOMENT = datetime(2026, 11, 23, 10, 15, 30, 123_000, UTC)
LATER = MOMENT + timedelta(hours=1)


def silver(spark: SparkSession, *made: dict[str, Any]) -> DataFrame:
    return events(parse(bronze(frame(spark, numbered(payload(one) for one in made)))))


def test_a_row_has_the_targets_that_the_store_makes_of_it(spark: SparkSession, tmp_path: Path) -> None:
    made = event(
        title="Дом \U0001f3e0 'x\"", user="Ада", comment="Reverted edits by [[User:Bo|Bo]] to last version by X"
    )
    rows = silver(spark, made)
    row = rows.collect()[0].asDict()
    assert row["reverted_user"] == "Bo"
    wanted = targets(row)
    assert len(set(wanted)) == 7
    removals = [Standing(one, kind, "hand", LATER) for one, (kind, _, _) in zip(wanted, NAMED_BY, strict=True)]
    found = covered(rows, standing(spark, removals)).collect()
    assert sorted(one["target"] for one in found) == sorted(wanted)
    rows.write.format("delta").save(str(tmp_path / "silver"))
    table = DeltaTable(tmp_path / "silver")
    assert [why.target for one in removals for why, _ in in_table(table, [one])] == wanted


Build = Callable[[dict[str, Any]], Standing]
NAMED: dict[str, Build] = {
    "its page": lambda row: Standing(target(Kind.PAGE, "enwiki", "Snow"), "page", Origin.STREAM, LATER),
    "its revision": lambda row: Standing(target(Kind.REVISION, "enwiki", 200), "revision", Origin.STREAM, LATER),
    "its user there": lambda row: Standing(target(Kind.USER, "enwiki", "Ada"), "user", Origin.HAND, LATER),
    "its user anywhere": lambda row: Standing(target(Kind.USER, "", "Ada"), "user", Origin.HAND, LATER),
    "itself": lambda row: Standing(target(Kind.EVENT, "", row["meta"]["id"]), "event", Origin.HAND, LATER),
}


@pytest.mark.parametrize("name", NAMED)
def test_an_edit_is_covered_by_what_names(spark: SparkSession, name: str) -> None:
    edit, other = event(), event(title="Ice", user="Bo", revision={"old": 100, "new": 300})
    removals = standing(spark, [NAMED[name](edit)])
    rows = silver(spark, edit, other)
    assert [row["event_id"] for row in covered(rows, removals).collect()] == [edit["meta"]["id"]]
    assert [row["event_id"] for row in uncovered(rows, removals).collect()] == [other["meta"]["id"]]


@pytest.mark.parametrize(
    ("origin", "until", "kinds"),
    [
        (Origin.STREAM, MOMENT, ["edit"]),
        (Origin.HAND, MOMENT, ["categorize", "edit", "log"]),
        (Origin.STREAM, MOMENT - timedelta(milliseconds=1), []),
    ],
)
def test_the_stream_removes_edits_and_a_hand_all_and_neither_what_came_later(
    spark: SparkSession, origin: str, until: datetime, kinds: Sequence[str]
) -> None:
    rows = silver(spark, event(), event(type="log"), event(type="categorize"))
    removals = standing(spark, [Standing(target(Kind.PAGE, "enwiki", "Snow"), "page", origin, until)])
    assert sorted(row["type"] for row in covered(rows, removals).collect()) == kinds


def test_what_cannot_be_read_as_an_event_is_covered_by_nothing(spark: SparkSession) -> None:
    rows = events(parse(bronze(frame(spark, [Record(b"{"), Record(None, offset=1)]))))
    removals = standing(spark, [Standing(target(Kind.PAGE, "", ""), "page", "hand", LATER)])
    assert covered(rows, removals).count() == 0
    assert uncovered(rows, removals).count() == 2
