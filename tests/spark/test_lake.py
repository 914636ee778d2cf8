"""The lake is exact: whatever is repeated, killed or duplicated, every row is there once and the counts balance."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from deltalake import DeltaTable

from freshet.contract import schemas
from freshet.lake import LAYERS, LakePaths
from spark_jobs import tables
from spark_jobs.batch import write_batch
from spark_jobs.batch_counts import BatchCounts
from tests.spark.builders import RULE, Record, event, frame, payload, raw

pytestmark = pytest.mark.spark

TWICE = event(meta__id="twice")
BATCH = [
    raw(event(meta__id="a"), offset=0),
    raw(event(meta__id="b", bot=True), offset=1),
    raw(TWICE, offset=3),
    raw(TWICE, offset=2),
    raw(TWICE, offset=0, partition=1),
    raw(event(meta__domain="canary"), offset=4),
    Record(b"no JSON", offset=5),
    Record(payload(event(meta__dt="soon")), offset=6),
    Record(
        b"\xff", topic="wiki.rejected", offset=0, headers={"stage": b"producer", "reason": b"not_json", "error": b"e"}
    ),
    Record(b"\xff", topic="wiki.rejected", offset=1, headers={"stage": b"transform", "reason": b"not_json"}),
]


class KilledError(Exception):
    """Stands for a kill between two writes."""


@dataclass(frozen=True)
class Written:
    root: Path
    done: BatchCounts
    in_memory: list


def folder(settings):
    return Path(settings.lake.root.removeprefix("file://"))


@pytest.fixture(scope="module")
def empty_lake(spark, tmp_path_factory):
    """The folder of a lake of empty tables: a copy of it is had much sooner than another one."""
    root = tmp_path_factory.mktemp("empty") / "lake"
    tables.create_tables(spark, LakePaths(f"file://{root}"))
    return root


@pytest.fixture(scope="module")
def written(spark, empty_lake):
    """The folder of a lake that has BATCH, what became of it, and what the batch left in memory."""
    root = empty_lake.with_name("written")
    shutil.copytree(empty_lake, root)
    before = in_memory(spark)
    done = write_batch(frame(spark, BATCH), LakePaths(f"file://{root}"), RULE)
    return Written(root, done, sorted(in_memory(spark) - before))


def in_memory(spark):
    return {rdd.toString() for rdd in spark.sparkContext._jsc.getPersistentRDDs().values()}


@pytest.fixture
def lake(empty_lake, lake_settings):
    shutil.copytree(empty_lake, folder(lake_settings))
    return lake_settings


@pytest.fixture
def filled(lake, written):
    """The lake of `lake`, with BATCH in it."""
    shutil.rmtree(folder(lake))
    shutil.copytree(written.root, folder(lake))
    return lake


@pytest.fixture
def write(lake, records):
    """Writes records as one batch, with the insert function given."""
    return lambda rows, insert=tables.insert_new: write_batch(records(rows), lake.lake, lake.document_rule, insert)


@pytest.fixture
def contents(lake):
    """All rows of all layers, read without Spark, as the audit does."""
    return lambda: {layer: sorted(map(str, rows(lake, layer))) for layer in LAYERS}


def rows(lake, layer):
    return DeltaTable(lake.lake.table(layer)).to_pyarrow_table().to_pylist()


def counts(contents):
    return {layer: len(rows) for layer, rows in contents().items()}


ONCE = {"bronze": 8, "silver": 3, "gold": 2, "rejected": 3}


def test_the_tables_are_there_before_anything_came(lake, contents):
    assert counts(contents) == dict.fromkeys(LAYERS, 0)
    for layer, fields in (("bronze", schemas.BRONZE), ("silver", schemas.SILVER), ("gold", schemas.GOLD)):
        columns = DeltaTable(lake.lake.table(layer)).schema().fields
        assert {column.name for column in columns} == set(schemas.names(fields))


def test_every_raw_record_is_accounted_for(filled, written, contents):
    done = written.done
    assert counts(contents) == ONCE
    assert done.inserted == ONCE
    assert done.rejected == {"not_json": 1, "bad_event_time": 1}
    assert (done.rows, done.canaries, done.duplicates, done.dead_letters) == (8, 1, 2, 2)
    assert done.rows == done.inserted["silver"] + sum(done.rejected.values()) + done.canaries + done.duplicates


def test_a_batch_leaves_nothing_of_itself_in_memory(written):
    assert [name for name in written.in_memory if not name.startswith("Delta Table State")] == []


def test_of_a_repeated_event_the_first_logged_is_kept(filled):
    twice = [row for row in rows(filled, "silver") if row["event_id"] == "twice"]
    assert [(row["raw_partition"], row["raw_offset"]) for row in twice] == [(0, 2)]


def test_a_batch_written_again_changes_nothing(filled, written, write, contents):
    before = contents()
    again = write(BATCH)
    assert contents() == before
    assert again.inserted == dict.fromkeys(LAYERS, 0)
    assert (again.duplicates, again.canaries) == (written.done.duplicates, written.done.canaries)


def test_an_event_that_silver_has_from_before_is_a_duplicate(write, contents):
    write([raw(TWICE, offset=0)])
    before = contents()
    done = write([raw(TWICE, offset=1), raw(event(meta__id="c"), offset=2)])
    assert (done.duplicates, done.inserted["silver"], done.inserted["gold"]) == (1, 1, 1)
    assert set(before["silver"]) < set(contents()["silver"])


def test_a_repeat_with_another_content_makes_no_document_that_silver_does_not_have(write, contents):
    write([raw(event(meta__id="a", bot=True), offset=0)])
    write([raw(event(meta__id="a", bot=False), offset=1)])
    assert counts(contents) == {"bronze": 2, "silver": 1, "gold": 0, "rejected": 0}


def test_a_checkpoint_that_was_lost_doubles_nothing(write, contents):
    write(BATCH[:3])
    write(BATCH[3:])
    before = contents()
    write(BATCH)
    assert contents() == before


def test_an_empty_batch_commits_nothing(filled, write):
    def versions():
        return [DeltaTable(filled.lake.table(layer)).version() for layer in LAYERS]

    before = versions()
    assert write([]).rows == 0
    assert versions() == before


@pytest.mark.parametrize("layer", LAYERS)
def test_killed_before_and_after_any_write_the_batch_again_is_exact(write, contents, layer):
    def insert(rows, lake, name, condition, *, after):
        done = tables.insert_new(rows, lake, name, condition) if after or name != layer else 0
        if name == layer:
            raise KilledError
        return done

    for after in (False, True):
        with pytest.raises(KilledError):
            write(BATCH, partial(insert, after=after))
    done = write(BATCH)
    assert counts(contents) == ONCE
    assert done.duplicates == 2


def test_writers_that_meet_all_finish_and_insert_each_row_once(lake, records, contents):
    rows = [raw(event(meta__id=f"e{number}"), offset=number) for number in range(50)]
    together = threading.Barrier(3)

    def write(frame):
        together.wait()
        return write_batch(frame, lake.lake, lake.document_rule)

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(write, [records(rows) for _ in range(3)]))
    assert counts(contents) == {"bronze": 50, "silver": 50, "gold": 50, "rejected": 0}
    assert sum(one.inserted["silver"] for one in done) == 50


def test_only_a_commit_conflict_is_tried_again():
    assert not tables.is_conflict(ValueError("io.delta.exceptions.ConcurrentAppendException"))
