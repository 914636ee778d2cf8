"""A backup made while edits flow, the place it is of lost, and another place that goes on from it.

The tests stand in the order of one story. The stand-in for the event stream is the outside world: it goes on meanwhile.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from freshet.contract import topics
from freshet.environment import environment_of
from local import launch
from local.backup.lake import checkpoint
from tests.conftest import free_settings
from tests.stacks import START_TIMEOUT_S, Stack, eventually, running_stack

pytestmark = [pytest.mark.e2e, pytest.mark.long]

SOURCE = {"source": "simulated", "rate": 40, "lake_interval_s": 5, "airflow": False, "monitoring": False}


class Kept(NamedTuple):
    """A backup, what was in its place when it began, and an old document of it."""

    folder: Path
    summary: dict[str, Any]
    documents: set[str]
    document: str
    title: str


def documents(stack: Stack) -> set[str]:
    with psycopg.connect(stack.settings.conninfo) as store:
        return {doc_id for (doc_id,) in store.execute("SELECT doc_id FROM documents")}


def gold(stack: Stack) -> list[str]:
    """Ids of the lake's documents, as often as they are there."""
    try:
        table = DeltaTable(stack.settings.lake.table("gold"))
    except TableNotFoundError:
        return []
    return [row["doc_id"] for row in table.to_pyarrow_table(columns=["doc_id"]).to_pylist()]


def next_places(stack: Stack, partition: int) -> list[int]:
    """Where both queries would go on in a partition of the raw log."""
    return [checkpoint(stack.settings, query)[1].get(topics.RAW, {}).get(partition, 0) for query in ("serve", "lake")]


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """A backup of a place that is gone."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-backup-"))
    with running_stack(**SOURCE) as first:
        eventually(lambda: len(gold(first)) > 100, 240)
        before = documents(first)
        with psycopg.connect(first.settings.conninfo) as store:
            ((document, title, partition, offset),) = store.execute(
                "SELECT doc_id, title, raw_partition, raw_offset FROM documents WHERE doc_id = ANY(%s)"
                " ORDER BY raw_timestamp, doc_id LIMIT 1",
                (gold(first),),
            ).fetchall()
        # what a query has not committed yet is kept as the end of the log, and this is to be of before that
        eventually(lambda: all(place > offset for place in next_places(first, partition)), 240)
        summary = first.json("backup", str(folder / "whole"))
        # it goes on: what comes now is lost with the place
        behind = len(documents(first))
        eventually(lambda: len(documents(first)) > behind + 50, 240)
    yield Kept(folder / "whole", summary, before, document, title)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def second(kept: Kept) -> Iterator[Stack]:
    """An empty place with ports of its own, in which nothing runs."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-e2e-"))
    folder.chmod(0o755)
    settings = free_settings(folder, **SOURCE)
    try:
        yield Stack(settings, {**os.environ, **environment_of(settings)})
    finally:
        launch.down(settings)
        launch.remove_state(settings)


def test_a_backup_is_private_and_says_what_is_in_it(kept: Kept) -> None:
    assert kept.summary["documents"] >= len(kept.documents)
    assert set(kept.summary["lake"]) == {"bronze", "silver", "gold", "rejected"}
    modes = {path.stat().st_mode & 0o777 for path in kept.folder.rglob("*")}
    assert modes == {0o700, 0o600}


def test_a_backup_of_which_a_byte_changed_is_refused_by_name(kept: Kept, second: Stack) -> None:
    name = next(str(path.relative_to(kept.folder)) for path in sorted(kept.folder.glob("lake/gold/*.parquet")))
    file = kept.folder / name
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    try:
        done = second.run("restore", str(kept.folder), "--apply")
    finally:
        file.write_bytes(whole)
    assert done.returncode == 1
    assert name in done.stderr
    assert not (second.settings.state_dir / "lake").exists()


def test_it_is_restored_into_an_empty_place_and_goes_on_from_there(kept: Kept, second: Stack) -> None:
    assert second.json("restore", str(kept.folder))["applied"] is False
    report = second.json("restore", str(kept.folder), "--apply")
    assert (report["applied"], report["log"]) == (True, "empty")
    up = second.run("up", "--detach", timeout=START_TIMEOUT_S)
    assert up.returncode == 0, up.stderr
    restored = documents(second)
    assert kept.documents <= restored


def test_a_restore_writes_over_nothing(kept: Kept, second: Stack) -> None:
    done = second.run("restore", str(kept.folder), "--apply")
    assert done.returncode == 1
    assert "freshet down" in done.stderr


def test_every_event_of_before_and_after_is_in_every_store_exactly_once(second: Stack) -> None:
    report = second.json("audit", "--wait", "120")
    assert not [(row["store"], row["kind"], row["count"]) for row in report["imbalances"]]
    assert report["balanced"]
    counts = report["counts"]
    assert counts["documents"] == counts["gold"] > 0
    assert counts["served events"] > 0


def test_an_old_document_is_found_and_traced_to_its_raw_event(kept: Kept, second: Stack) -> None:
    trace = second.json("trace", kept.document)
    assert kept.document in trace["raw"]["payload"]
    assert trace["raw"]["found_in"] == "bronze"
    found = second.json("search", kept.title)["results"]
    assert kept.title in {one["title"] for one in found}


def test_no_row_of_the_lake_is_there_twice(second: Stack) -> None:
    rows = gold(second)
    assert len(set(rows)) == len(rows)
