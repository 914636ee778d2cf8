"""A replay makes the lake and the index what the transforms make now: exactly that, once, whatever is cut off."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from deltalake import DeltaTable

from freshet.contract import schemas, topics
from freshet.lake import LAYERS, LakePaths
from freshet.upkeep.replay import Chunk, Range
from spark_jobs import tables
from spark_jobs.batch import write_batch
from spark_jobs.replay import prepared
from spark_jobs.transforms import gold, parse
from spark_jobs.transforms import silver as silver_module
from tests.spark.builders import RULE, Record, event, frame, raw

pytestmark = pytest.mark.spark

TWICE = event(meta__id="twice", title="Twice")
RECORDS = [
    raw(event(meta__id="article"), offset=0),
    raw(event(meta__id="talk", namespace=1, title="Talk:Snow"), offset=1),
    raw(event(meta__id="plain", comment=""), offset=2),
    raw(event(meta__id="bot", bot=True), offset=3),
    raw(TWICE, offset=4),
    raw(TWICE, offset=5),
    raw(event(meta__id="a-long-id"), offset=6),
    Record(b"no JSON", offset=7),
    raw(event(meta__domain="canary"), offset=8),
    raw(TWICE, offset=0, partition=1),
]
ALL = Chunk("bronze", (Range(0, 0, 8), Range(1, 0, 0)))


class KilledError(Exception):
    """Stands for a kill between two writes."""


@dataclass
class Index:
    """The index as the records of wiki.gold make it, the last one of a document counting."""

    documents: dict = field(default_factory=dict)
    sent: list = field(default_factory=list)

    def publish(self, messages, _settings):
        for row in messages.collect():
            assert row["topic"] == topics.GOLD
            assert row["key"] == b"enwiki:Page"
            value = json.loads(row["value"])
            self.sent.append(value["doc_id"])
            if value.get("deleted"):
                self.documents.pop(value["doc_id"], None)
            else:
                self.documents[value["doc_id"]] = value


@pytest.fixture(scope="module")
def lakes(spark, tmp_path_factory):
    """Folders of lakes made once: of empty tables, and of what RECORDS make. A copy is had sooner than another one."""
    root = tmp_path_factory.mktemp("lakes")
    tables.create_tables(spark, LakePaths(f"file://{root}/empty"))
    shutil.copytree(root / "empty", root / "right")
    write_batch(frame(spark, RECORDS), LakePaths(f"file://{root}/right"), RULE)
    return root


def folder(settings):
    return Path(settings.lake.root.removeprefix("file://"))


@pytest.fixture
def lake(lakes, lake_settings):
    """Settings with a lake that is right."""
    shutil.copytree(lakes / "right", folder(lake_settings))
    return lake_settings


@pytest.fixture
def emptied(lakes, lake):
    """The same, with nothing in it."""
    shutil.rmtree(folder(lake))
    shutil.copytree(lakes / "empty", folder(lake))
    return lake


@pytest.fixture
def write(lake, records):
    return lambda rows=RECORDS, settings=lake: write_batch(records(rows), settings.lake, settings.document_rule)


@pytest.fixture
def index():
    return Index()


@pytest.fixture
def run(spark, lake, index):
    """Applies a replay of a chunk; returns its figures."""

    def apply(chunk=ALL, settings=lake, merge=tables.merge_changes, publish=index.publish, resend=False):
        with prepared(spark, settings, chunk, resend=resend) as made:
            found = made.figures()
            made.apply(publish, merge)
        return found

    return apply


def rows(settings, layer):
    return DeltaTable(settings.lake.table(layer)).to_pyarrow_table().to_pylist()


def ids(settings, layer):
    return sorted(row["event_id"] for row in rows(settings, layer))


def contents(settings):
    return {layer: sorted(map(str, rows(settings, layer))) for layer in LAYERS}


def versions(settings):
    return [DeltaTable(settings.lake.table(layer)).version() for layer in LAYERS]


def actions(inserted=0, changed=0, unchanged=0, deleted=0):
    return {"inserted": inserted, "changed": changed, "unchanged": unchanged, "deleted": deleted}


def ruled(settings, *namespaces):
    return settings.model_copy(update={"gold_namespaces": namespaces})


def test_a_replay_of_what_is_right_changes_nothing(lake, run, index):
    before, at = contents(lake), versions(lake)
    found = run()
    assert found["layers"] == {
        "silver": actions(unchanged=6), "gold": actions(unchanged=4), "rejected": actions(unchanged=1)
    }  # fmt: skip
    assert (found["rows"], found["missing"], found["duplicates"], found["canaries"]) == (10, 0, 2, 1)
    assert found["rejected"] == {"not_json": 1}
    assert found["rows"] == 6 + 1 + found["duplicates"] + found["canaries"]
    assert (contents(lake), versions(lake), index.sent) == (before, at, [])


def test_another_rule_makes_and_takes_away_exactly_its_documents(lake, run, index):
    talk_too = run(settings=ruled(lake, 0, 1))
    assert talk_too["layers"]["gold"] == actions(inserted=1, unchanged=4)
    assert index.sent == ["talk"]
    assert index.documents["talk"]["title"] == "Talk:Snow"
    assert ids(lake, "gold") == ["a-long-id", "article", "plain", "talk", "twice"]
    talk_only = run(settings=ruled(lake, 1))
    assert (talk_only["republished"], talk_only["removed"]) == (0, 4)
    assert ids(lake, "gold") == ["talk"]
    assert list(index.documents) == ["talk"]
    again = versions(lake)
    assert run(settings=ruled(lake, 1))["layers"]["gold"] == actions(unchanged=1)
    assert versions(lake) == again
    assert len(index.sent) == 1 + 4


@pytest.mark.long
def test_only_documents_whose_content_differs_are_sent_again(lake, emptied, write, run, index, monkeypatch):
    monkeypatch.setattr(gold, "text", lambda: gold.fn.col("title"))
    write()
    monkeypatch.undo()
    found = run()
    # The text of an edit without a summary and a section is its title, by either logic.
    assert found["layers"]["gold"] == actions(changed=3, unchanged=1)
    assert sorted(index.sent) == ["a-long-id", "article", "twice"]
    texts = {row["doc_id"]: row["text"] for row in rows(lake, "gold")}
    assert texts["article"] == "Snow. Formation. how crystals grow" == index.documents["article"]["text"]


def test_an_index_that_differs_from_gold_becomes_what_gold_is_when_told_to(lake, run, index):
    at = versions(lake)
    index.documents = {"bot": {"doc_id": "bot"}}
    found = run(resend=True)
    assert found["layers"]["gold"] == actions(unchanged=4)
    assert found["republished"] == 4
    assert sorted(index.documents) == ids(lake, "gold")
    assert versions(lake) == at


@pytest.mark.long
def test_an_index_loses_no_document_whose_record_is_elsewhere(lake, run, index):
    run(resend=True)
    found = run(Chunk("bronze", (Range(1, 0, 0),)), resend=True)
    assert found["duplicates"] == 1
    assert sorted(index.documents) == ids(lake, "gold")


def test_rejections_come_and_go(lake, emptied, write, run, index, monkeypatch):
    monkeypatch.setattr(parse, "MAX_ID_LENGTH", 8)
    write()
    assert len(rows(lake, "rejected")) == 2
    monkeypatch.undo()
    mended = run()
    assert mended["layers"] == {
        "silver": actions(inserted=1, unchanged=5),
        "gold": actions(inserted=1, unchanged=3),
        "rejected": actions(deleted=1, unchanged=1),
    }
    assert "a-long-id" in ids(lake, "silver")
    assert [row["offset"] for row in rows(lake, "rejected")] == [7]
    monkeypatch.setattr(parse, "MAX_ID_LENGTH", 6)
    worse = run()
    assert worse["rejected"] == {"missing_event_id": 2, "not_json": 1}
    assert sorted(row["offset"] for row in rows(lake, "rejected")) == [0, 6, 7]
    assert ids(lake, "silver") == ["bot", "plain", "talk", "twice"]
    assert ids(lake, "gold") == ["plain", "twice"]
    assert index.documents == {}


@pytest.mark.long
def test_a_later_copy_takes_nothing_over(lake, run, index):
    before = contents(lake)
    for later in (Chunk("bronze", (Range(0, 5, 5),)), Chunk("bronze", (Range(1, 0, 0),))):
        found = run(later)
        assert (found["duplicates"], found["layers"]["silver"]) == (1, actions())
    assert (contents(lake), index.sent) == (before, [])


@pytest.mark.long
def test_an_event_whose_time_was_moved_is_still_known_by_its_first_copy(lake, emptied, write, run, monkeypatch):
    monkeypatch.setattr(
        parse, "event_time", lambda text: text.try_cast("timestamp") + parse.fn.expr("INTERVAL 5 HOURS")
    )
    write()
    monkeypatch.undo()
    assert run(Chunk("bronze", (Range(0, 5, 5),)))["layers"]["silver"] == actions()
    assert run()["layers"]["silver"] == actions(changed=6)
    assert len(rows(lake, "silver")) == 6


@pytest.mark.long
def test_a_copy_takes_over_when_the_first_is_no_longer_valid(lake, emptied, write, run, index, monkeypatch):
    monkeypatch.setattr(parse, "_blank", lambda text: parse.fn.lit(False))
    write([raw(event(meta__id="copy", wiki=""), offset=0), raw(event(meta__id="copy"), offset=1)])
    assert [row["raw_offset"] for row in rows(lake, "silver")] == [0]
    monkeypatch.undo()
    both = Chunk("bronze", (Range(0, 0, 1),))
    assert run(both)["layers"]["silver"] == actions(changed=1)
    assert [row["raw_offset"] for row in rows(lake, "silver")] == [1]
    assert [row["raw_offset"] for row in rows(lake, "gold")] == [1]
    assert run(both)["layers"]["silver"] == actions(unchanged=1)
    assert index.sent == ["copy"]


@pytest.mark.long
def test_a_row_that_only_another_version_made_is_left_as_it_is(lake, run, index, monkeypatch):
    at = versions(lake)
    monkeypatch.setattr(schemas, "TRANSFORM_VERSION", "99")
    assert run()["layers"]["gold"] == actions(unchanged=4)
    assert (versions(lake), index.sent) == (at, [])
    changed = run(settings=ruled(lake, 0, 1))
    assert changed["layers"]["gold"] == actions(inserted=1, unchanged=4)
    assert sorted(row["transform_version"] for row in rows(lake, "gold")) == ["1", "1", "1", "1", "99"]


def test_a_record_that_bronze_does_not_have_is_counted_and_its_rows_stay(lake, run):
    before = rows(lake, "silver")
    DeltaTable(lake.lake.table("bronze")).delete("offset = 2")
    found = run()
    assert (found["rows"], found["missing"]) == (9, 1)
    assert rows(lake, "silver") == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(spark, lake, emptied, write, monkeypatch):
    monkeypatch.setattr(gold, "text", lambda: gold.fn.col("title"))
    write()
    monkeypatch.undo()
    at = versions(lake)
    with prepared(spark, ruled(lake, 0, 1), ALL) as made:
        found = made.figures(examples=3)
    assert versions(lake) == at
    assert (found["republished"], found["removed"]) == (4, 0)
    shown = {example["doc_id"]: example for example in found["examples"]}
    assert list(shown) == ["a-long-id", "article", "talk"]
    assert shown["article"]["before"].keys() == {"text", "content_hash"}
    assert shown["article"]["before"]["text"] == "Snow"
    assert shown["article"]["after"]["text"] == "Snow. Formation. how crystals grow"
    assert (shown["talk"]["action"], shown["talk"]["before"]) == ("inserted", None)
    json.dumps(found)


def test_killed_between_any_two_writes_the_chunk_again_ends_the_same(
    lake, emptied, write, run, index, tmp_path, monkeypatch
):
    monkeypatch.setattr(parse, "MAX_ID_LENGTH", 6)
    write()
    whole = lake.model_copy(update={"lake_root": f"file://{tmp_path}/whole"})
    shutil.copytree(folder(lake), tmp_path / "whole")
    monkeypatch.undo()
    expected = Index()
    run(settings=ruled(whole, 1), publish=expected.publish)

    def killed_before(layer):
        def merge(changes, paths, name, condition, place):
            if name == layer:
                raise KilledError
            tables.merge_changes(changes, paths, name, condition, place)

        with pytest.raises(KilledError):
            run(settings=ruled(lake, 1), merge=merge)

    for layer in ("rejected", "silver", "gold"):
        killed_before(layer)
        assert index.documents == expected.documents
    run(settings=ruled(lake, 1))
    assert contents(lake) == contents(whole)
    assert index.documents == expected.documents
    assert index.sent == expected.sent * 4


def test_killed_while_sending_nothing_is_merged_and_all_is_sent_again(lake, run, index):
    at = versions(lake)

    def publish(messages, settings):
        index.publish(messages.limit(2), settings)
        raise KilledError

    with pytest.raises(KilledError):
        run(settings=ruled(lake, 1), publish=publish)
    assert versions(lake) == at
    run(settings=ruled(lake, 1))
    assert sorted(set(index.sent)) == ["a-long-id", "article", "plain", "talk", "twice"]


@pytest.mark.long
def test_what_the_lake_query_writes_meanwhile_is_not_written_twice(lake, write, run, index):
    for layer in ("silver", "gold"):
        DeltaTable(lake.lake.table(layer)).delete("raw_offset > 2 OR raw_partition = 1")
    written = []

    def merge(changes, paths, name, condition, place):
        if not written:
            written.append(write())
        tables.merge_changes(changes, paths, name, condition, place)

    found = run(merge=merge)
    assert found["layers"]["silver"] == actions(inserted=3, unchanged=3)
    assert ids(lake, "silver") == ["a-long-id", "article", "bot", "plain", "talk", "twice"]
    assert ids(lake, "gold") == ["a-long-id", "article", "plain", "twice"]


@pytest.mark.long
def test_a_copy_that_came_meanwhile_from_elsewhere_is_left(lake, write, run, records):
    for layer in ("silver", "gold"):
        DeltaTable(lake.lake.table(layer)).delete("event_id = 'twice'")

    def merge(changes, paths, name, condition, place):
        if name == "silver":
            write([raw(TWICE, offset=3, partition=1)])
        tables.merge_changes(changes, paths, name, condition, place)

    run(Chunk("bronze", (Range(0, 4, 5),)), merge=merge)
    held = [(row["raw_partition"], row["raw_offset"]) for row in rows(lake, "silver") if row["event_id"] == "twice"]
    assert held == [(1, 3)]


@pytest.mark.long
def test_a_replay_of_everything_is_a_lake_made_anew(spark, lake, emptied, write, run, records, tmp_path, monkeypatch):
    flawed = [raw(event(meta__id=f"{number:04}" * (number % 4), namespace=number % 3), number) for number in range(60)]
    monkeypatch.setattr(parse, "MAX_ID_LENGTH", 9)
    monkeypatch.setattr(silver_module.comments, "section", lambda comment: gold.fn.lit("everywhere"))
    write(flawed, ruled(lake, 0, 1))
    monkeypatch.undo()
    anew = lake.model_copy(update={"lake_root": f"file://{tmp_path}/anew"})
    tables.create_tables(spark, anew.lake)
    write(flawed, anew)
    assert contents(lake) != contents(anew)
    for first in range(0, 60, 20):
        run(Chunk("bronze", (Range(0, first, first + 19),)))
    assert contents(lake) == contents(anew)
