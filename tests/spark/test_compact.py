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
from deltalake import DeltaTable
from pyspark.sql import functions as fn

from freshet.lake import LAYERS, LakePaths
from freshet.settings import CHECKOUT, PREFIX
from spark_jobs import tables
from spark_jobs.batch import write_batch
from spark_jobs.compact import compact, plan, remove_expired
from tests.spark.builders import event, raw

pytestmark = pytest.mark.spark

PATIENCE_S = 120


@pytest.fixture(scope="module")
def empty_lake(spark, tmp_path_factory):
    root = tmp_path_factory.mktemp("empty") / "lake"
    tables.create_tables(spark, LakePaths(f"file://{root}"))
    return root


@pytest.fixture
def lake(empty_lake, lake_settings):
    shutil.copytree(empty_lake, folder(lake_settings))
    return lake_settings


@pytest.fixture
def write(lake, records):
    """Writes edits as one batch, each with the number as its id and its offset."""
    return lambda *numbers: write_batch(records([edit(n) for n in numbers]), lake.lake, lake.document_rule)


def edit(number):
    return raw(event(meta__id=f"e{number}"), offset=number)


def folder(settings):
    return Path(settings.lake.root.removeprefix("file://"))


def ids(settings, layer="gold"):
    return sorted(DeltaTable(settings.lake.table(layer)).to_pyarrow_table()["event_id"].to_pylist())


def contents(settings):
    return {
        layer: sorted(map(str, DeltaTable(settings.lake.table(layer)).to_pyarrow_table().to_pylist()))
        for layer in LAYERS
    }


def standing(settings, layer="gold"):
    return plan(settings, [layer])[0]


def test_small_files_become_one_with_the_same_rows(spark, lake, write):
    for number in range(4):
        write(number)
    before, rows = standing(lake), contents(lake)
    assert before["files"] == before["small_files"] == 4
    for layer in LAYERS:
        compact(spark, lake, layer)
    after = standing(lake)
    assert (after["files"], after["small_files"]) == (1, 0)
    assert standing(lake, "bronze")["files"] == 1
    assert contents(lake) == rows


def test_what_a_merge_prunes_by_survives(spark, lake, write):
    for number in range(4):
        write(number)
    for layer in LAYERS:
        compact(spark, lake, layer)
    done = write(0, 1, 2, 3, 4)
    assert done.inserted == {"bronze": 1, "silver": 1, "gold": 1, "rejected": 0}


def test_a_compacted_table_is_not_compacted_again(spark, lake, write):
    write(0)
    write(1)
    compact(spark, lake, "gold")
    version = DeltaTable(lake.lake.table("gold")).version()
    assert standing(lake)["small_files"] == 0
    compact(spark, lake, "gold")
    history = DeltaTable(lake.lake.table("gold")).history()
    assert [
        commit["operation"] for commit in history if commit["version"] > version and commit["operation"] == "OPTIMIZE"
    ] == []


def test_a_merge_that_reads_files_while_they_are_compacted_begins_anew_and_inserts_each_row_once(
    spark, lake, write, tmp_path
):
    for number in range(4):
        write(number)
    reading, go_on = tmp_path / "reading", tmp_path / "go-on"
    table = spark.read.format("delta").load(lake.lake.table("gold"))
    renamed = {name: fn.concat(name, fn.lit("-new")) for name in ("doc_id", "event_id")}
    rows = table.where("event_id in ('e0', 'e1')").withColumns(renamed).unionByName(table).localCheckpoint()

    def held(batches):
        with reading.open("a") as times:
            times.write("x")
        deadline = time.monotonic() + PATIENCE_S
        while not go_on.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield from batches

    slow = rows.coalesce(1).mapInArrow(held, rows.schema)
    span = "t.event_time BETWEEN TIMESTAMP '2026-11-23 00:00:00' AND TIMESTAMP '2026-11-24 00:00:00'"
    with ThreadPoolExecutor(1) as pool:
        merge = pool.submit(tables.insert_new, slow, lake.lake, "gold", f"t.doc_id = s.doc_id AND {span}")
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


def test_batches_written_while_the_lake_is_compacted_and_tidied_are_all_there_once(spark, lake, write):
    write(0)
    done = []

    def batches():
        for number in range(1, 9):
            done.append(write(number, number + 100, number - 1).inserted["gold"])

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(batches)
        compacted = 0
        while not writing.done():
            for layer in LAYERS:
                compact(spark, lake, layer)
            compacted += 1
        writing.result()
    assert compacted > 0
    assert done == [2] * 8
    expected = sorted(f"e{n}" for n in [*range(9), *range(101, 109)])
    assert ids(lake) == ids(lake, "silver") == expected
    assert len(contents(lake)["bronze"]) == len(expected)
    operations = [commit["operation"] for commit in DeltaTable(lake.lake.table("gold")).history()]
    assert "OPTIMIZE" in operations


def test_files_of_before_stay_for_their_readers_until_they_are_old(spark, lake, write):
    for number in range(3):
        write(number)
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


def command(settings, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "spark_jobs.compact", *arguments],
        cwd=CHECKOUT, env={**os.environ, f"{PREFIX}LAKE_ROOT": settings.lake.root},
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_command_says_what_it_would_do_and_does_it_when_told(lake, write):
    for number in range(3):
        write(number)
    before = {layer: DeltaTable(lake.lake.table(layer)).version() for layer in LAYERS}
    said = command(lake, "--tables", "gold", "silver")
    assert said["applied"] is False
    assert [(table["table"], table["files"], table["small_files"]) for table in said["tables"]] == [
        ("gold", 3, 3), ("silver", 3, 3)
    ]  # fmt: skip
    assert {layer: DeltaTable(lake.lake.table(layer)).version() for layer in LAYERS} == before
    done = command(lake, "--tables", "gold", "--apply")
    (table,) = done["tables"]
    assert (table["files"], table["after"]["files"]) == (3, 1)
    assert table["after"]["bytes"] < table["bytes"]
    assert table["seconds"] > 0
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
        }
    ]
