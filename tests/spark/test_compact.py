"""Compaction beside the query that writes: whichever commits second begins anew, and no row is lost or doubled."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import functions as fn

from freshet.lake import LAYERS, LakePaths
from freshet.settings import CHECKOUT, PREFIX
from freshet.upkeep import lake_files
from spark_jobs import tables
from spark_jobs.batch import write_batch
from spark_jobs.compact import compact, plan, remove_expired
from tests.spark.builders import RULE, event, frame, raw

pytestmark = pytest.mark.spark

PATIENCE_S = 120


SPAN = "t.event_time BETWEEN TIMESTAMP '2026-11-23 00:00:00' AND TIMESTAMP '2026-11-24 00:00:00'"


@pytest.fixture(scope="module")
def rows(spark, tmp_path_factory):
    """An empty lake's folder, and by layer the rows that ten edits make: written once by Spark."""
    root = tmp_path_factory.mktemp("lakes")
    empty, full = LakePaths(f"file://{root}/empty"), LakePaths(f"file://{root}/full")
    tables.create_tables(spark, empty)
    shutil.copytree(root / "empty", root / "full")
    write_batch(frame(spark, [edit(number) for number in range(10)]), full, RULE)
    return root / "empty", {layer: DeltaTable(full.table(layer)).to_pyarrow_table() for layer in ("bronze", "gold")}


@pytest.fixture
def lake(rows, lake_settings):
    shutil.copytree(rows[0], folder(lake_settings))
    return lake_settings


@pytest.fixture
def write(lake, rows):
    """Appends edits to bronze and gold, each in a file and a commit of its own."""

    def append(*numbers):
        for number in numbers:
            for layer, table in rows[1].items():
                write_deltalake(lake.lake.table(layer), table.slice(number, 1), mode="append")

    return append


def edit(number):
    return raw(event(meta__id=f"e{number}"), offset=number)


def folder(settings):
    return Path(settings.lake.root.removeprefix("file://"))


def ids(settings, layer="gold"):
    return sorted(DeltaTable(settings.lake.table(layer)).to_pyarrow_table()["event_id"].to_pylist())


def standing(settings, layer="gold"):
    return plan(settings, [layer])[0]


def test_small_files_become_one_with_the_same_rows(spark, lake, write):
    write(*range(4))
    before, kept = standing(lake), ids(lake)
    assert before["files"] == before["small_files"] == 4
    for layer in ("gold", "bronze"):
        compact(spark, lake, layer)
        after = standing(lake, layer)
        assert (after["files"], after["small_files"]) == (1, 0)
    assert ids(lake) == kept
    assert sorted(DeltaTable(lake.lake.table("bronze")).to_pyarrow_table()["offset"].to_pylist()) == [0, 1, 2, 3]


def test_a_compacted_table_is_not_compacted_again_and_its_statistics_survive(spark, lake, write):
    write(0, 1)
    compact(spark, lake, "gold")
    compact(spark, lake, "gold")
    history = DeltaTable(lake.lake.table("gold")).history()
    assert [commit["operation"] for commit in history].count("OPTIMIZE") == 1
    (file,) = lake_files.files(DeltaTable(lake.lake.table("gold")))
    assert (file["min.raw_offset"], file["max.raw_offset"]) == (0, 1)
    assert file["max.event_time"] is not None


def test_a_merge_that_reads_files_while_they_are_compacted_begins_anew_and_inserts_each_row_once(
    spark, lake, write, tmp_path
):
    write(*range(4))
    reading, go_on = tmp_path / "reading", tmp_path / "go-on"
    table = spark.read.format("delta").load(lake.lake.table("gold"))
    renamed = {name: fn.concat(name, fn.lit("-new")) for name in ("doc_id", "event_id")}
    wanted = table.where("event_id in ('e0', 'e1')").withColumns(renamed).unionByName(table).localCheckpoint()

    def held(rows):
        with reading.open("a") as times:
            times.write("x")
        deadline = time.monotonic() + PATIENCE_S
        while not go_on.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield from rows

    slow = spark.createDataFrame(wanted.coalesce(1).rdd.mapPartitions(held), wanted.schema)
    with ThreadPoolExecutor(1) as pool:
        merge = pool.submit(tables.insert_new, slow, lake.lake, "gold", f"t.doc_id = s.doc_id AND {SPAN}")
        deadline = time.monotonic() + PATIENCE_S
        while not reading.exists():
            assert time.monotonic() < deadline
            assert not merge.done(), merge.result()
            time.sleep(0.05)
        compact(spark, lake, "gold")
        before = len(reading.read_text())
        go_on.touch()
        assert merge.result() == 2
    assert len(reading.read_text()) > before, "the merge met no other commit"
    assert ids(lake) == ["e0", "e0-new", "e1", "e1-new", "e2", "e3"]


@pytest.mark.long
def test_merges_while_the_table_is_compacted_and_tidied_again_and_again_insert_each_row_once(spark, lake, write):
    write(*range(4))
    table = spark.read.format("delta").load(lake.lake.table("gold")).localCheckpoint()

    def merge(number):
        named = {name: fn.concat(name, fn.lit(f"-{number}")) for name in ("doc_id", "event_id")}
        added = table.withColumns(named).unionByName(table)
        return tables.insert_new(added, lake.lake, "gold", f"t.doc_id = s.doc_id AND {SPAN}")

    with ThreadPoolExecutor(1) as pool:
        merging = pool.map(merge, range(6))
        last = pool.submit(lambda: None)
        compacted = 0
        while not last.done():
            compact(spark, lake, "gold")
            compacted += 1
        assert list(merging) == [4] * 6
    assert compacted > 1
    assert ids(lake) == sorted([f"e{n}" for n in range(4)] + [f"e{n}-{m}" for n in range(4) for m in range(6)])


@pytest.mark.long
def test_a_batch_of_the_lake_query_finds_in_compacted_tables_what_it_has_written_before(spark, lake, write):
    def batch(*numbers):
        return write_batch(frame(spark, [edit(number) for number in numbers]), lake.lake, RULE).inserted

    batch(0, 1, 2)
    for layer in LAYERS:
        compact(spark, lake, layer)
    assert batch(0, 1, 2, 3) == {"bronze": 1, "silver": 1, "gold": 1, "rejected": 0}
    assert ids(lake) == ids(lake, "silver") == ["e0", "e1", "e2", "e3"]


def test_files_of_before_stay_for_their_readers_until_they_are_old(spark, lake, write):
    write(0, 1, 2)
    old = DeltaTable(lake.lake.table("gold"))
    compact(spark, lake, "gold")
    assert len(old.to_pyarrow_table()) == 3, "whoever reads the version of before still can"
    rows = ids(lake)
    remove_expired(spark, lake, "gold", 0)
    assert ids(lake) == rows
    assert len(list((folder(lake) / "gold").glob("*.parquet"))) == 1


def test_of_files_that_nobody_committed_only_old_ones_go(spark, lake, write):
    write(0)
    gold = folder(lake) / "gold"
    young, old = gold / "part-young.parquet", gold / "part-old.parquet"
    for file in (young, old):
        file.write_bytes(b"x" * 10)
    hours = lake.compact_keep_hours + 1
    os.utime(old, (time.time() - hours * 3600,) * 2)
    said = standing(lake)
    assert (said["expired_files"], said["expired_bytes"]) == (1, 10)
    compact(spark, lake, "gold")
    assert (young.exists(), old.exists()) == (True, False)


class KilledError(Exception):
    """Stands for a kill between two steps."""


def test_killed_after_its_commit_and_in_the_middle_of_tidying_a_compaction_ends_the_same(
    spark, lake, write, monkeypatch
):
    def killed(*_):
        raise KilledError

    write(*range(4))
    rows = ids(lake)
    with monkeypatch.context() as kill:
        kill.setattr("spark_jobs.compact.remove_expired", killed)
        with pytest.raises(KilledError):
            compact(spark, lake, "gold")
    assert ids(lake) == rows
    gold = folder(lake) / "gold"
    of_table = {file["path"] for file in lake_files.files(DeltaTable(lake.lake.table("gold")))}
    left = [file for file in gold.glob("*.parquet") if file.name not in of_table]
    assert len(left) == 4
    left[0].unlink()
    remove_expired(spark, lake, "gold", 0)
    assert ids(lake) == rows
    assert {file.name for file in gold.glob("*.parquet")} == of_table
    compact(spark, lake, "gold")
    assert ids(lake) == rows


def command(settings, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "spark_jobs.compact", *arguments],
        cwd=CHECKOUT, env={**os.environ, f"{PREFIX}LAKE_ROOT": settings.lake.root},
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_command_says_what_it_would_do_and_does_it_when_told(lake, write):
    write(0, 1, 2)
    before = {layer: DeltaTable(lake.lake.table(layer)).version() for layer in LAYERS}
    said = command(lake, "--tables", "gold", "bronze")
    assert said["applied"] is False
    assert [(table["table"], table["files"], table["small_files"]) for table in said["tables"]] == [
        ("gold", 3, 3), ("bronze", 3, 3)
    ]  # fmt: skip
    assert {layer: DeltaTable(lake.lake.table(layer)).version() for layer in LAYERS} == before
    done = command(lake, "--tables", "gold", "--apply")
    (table,) = done["tables"]
    assert (table["files"], table["after"]["files"]) == (3, 1)
    assert table["after"]["bytes"] < table["bytes"]
    assert min(table["seconds"], table["query_ms"], table["after"]["query_ms"]) > 0
    assert ids(lake) == ["e0", "e1", "e2"]


def test_a_table_that_is_not_there_yet_is_nothing_to_do(lake_settings):
    assert plan(lake_settings, ["gold"]) == [
        {
            "table": "gold",
            "files": 0,
            "bytes": 0,
            "small_files": 0,
            "small_bytes": 0,
            "expired_files": 0,
            "expired_bytes": None,
            "query_ms": None,
        }
    ]
