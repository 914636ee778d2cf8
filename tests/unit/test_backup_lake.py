"""What of the lake goes into a backup: a checkpoint up to its last committed batch, a table at one version."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from freshet.errors import ConfigError, PermanentError
from freshet.settings import Settings, load_settings
from local.backup import lake
from local.backup.folder import Filling
from local.backup.manifest import Manifest
from local.backup.target import check_lake

OFFSETS = 'v1\n{{"batchWatermarkMs":0}}\n{{"wiki.raw":{{"0":{0},"1":7}},"wiki.rejected":{{"0":2}}}}'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(state_dir=tmp_path / "state")


@pytest.fixture
def filling(tmp_path: Path) -> Filling:
    (tmp_path / "backup").mkdir()
    return Filling(tmp_path / "backup")


def batches(settings: Settings, planned: range, committed: range) -> Path:
    folder = lake.folder_of(settings) / "checkpoints" / "lake"
    for name, numbers in (("offsets", planned), ("commits", committed)):
        (folder / name).mkdir(parents=True)
        for number in numbers:
            (folder / name / str(number)).write_text(OFFSETS.format(10 * number))
            (folder / name / f".{number}.crc").write_text("")
    (folder / "metadata").write_text("{}")
    return folder


def write(settings: Settings, *rows: int) -> None:
    table = pa.table({"id": pa.array(rows, pa.int64()), "day": ["a b"] * len(rows)})
    write_deltalake(lake.folder_of(settings) / "gold", table, mode="append", partition_by=["day"])


def test_a_batch_that_was_planned_and_not_committed_is_left_out(settings: Settings, filling: Filling) -> None:
    batches(settings, range(3), range(2))
    assert lake.save_checkpoint(settings, "lake", filling) == {"wiki.raw": {0: 10, 1: 7}, "wiki.rejected": {0: 2}}
    assert {name.removeprefix("lake/checkpoints/lake/") for name in filling.files} == {
        "metadata", "offsets/0", "offsets/1", "commits/0", "commits/1",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["offsets", "commits"])
def test_a_batch_of_which_a_crash_left_a_torn_file_is_left_out(settings: Settings, filling: Filling, name: str) -> None:
    (batches(settings, range(3), range(3)) / name / "2").write_text('v1\n{"batchWat')
    assert lake.save_checkpoint(settings, "lake", filling)["wiki.raw"] == {0: 10, 1: 7}
    assert not [copied for copied in filling.files if copied.endswith("/2")]


def test_a_query_that_never_ran_has_no_checkpoint(settings: Settings, filling: Filling) -> None:
    assert lake.save_checkpoint(settings, "serve", filling) == {}
    assert not filling.files


def test_a_table_is_copied_as_it_was_when_it_was_looked_at(settings: Settings, filling: Filling) -> None:
    (root := lake.folder_of(settings)).mkdir(parents=True)
    write(settings, 1, 2)
    write(settings, 3)
    DeltaTable(root / "gold").optimize.compact()
    DeltaTable(root / "gold").create_checkpoint()
    pinned = lake.pinned(settings)
    write(settings, 4)
    lake.save_table(settings, "gold", pinned["gold"], filling, lambda _: None)
    copy = DeltaTable(filling.folder / "lake" / "gold")
    assert copy.version() == 2
    assert sorted(copy.to_pyarrow_table()["id"].to_pylist()) == [1, 2, 3]
    # what the compaction put together is in one file, and the others are not taken along
    assert len([name for name in filling.files if name.endswith(".parquet") and "_delta_log" not in name]) == 1


def test_a_lake_that_is_no_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    settings = load_settings(state_dir=tmp_path, lake_root="s3a://bucket/lake")
    with pytest.raises(ConfigError, match=r"versioning or replication.*--no-lake"):
        lake.folder_of(settings)


def test_a_lake_is_never_written_over(settings: Settings) -> None:
    kept = Manifest.model_construct(lake={"gold": 1}, checkpoints={})
    check_lake(settings, kept)
    batches(settings, range(1), range(1))
    with pytest.raises(PermanentError, match="writes over nothing"):
        check_lake(settings, kept)
