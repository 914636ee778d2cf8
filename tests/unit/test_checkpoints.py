"""A checkpoint that a crash has torn goes on behind its last whole batch, and loses nothing."""

import json
from pathlib import Path

import pytest

from freshet.errors import PermanentError
from freshet.upkeep import checkpoints

OFFSETS = 'v1\n{"batchWatermarkMs":0}\n{"wiki.raw":{"0":7}}'
COMMIT = 'v1\n{"nextBatchWatermarkMs":0}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Batches 5 to 8, of which 8 is planned and not done; those before were let go of."""
    for log, text, batches in (("offsets", OFFSETS, range(5, 9)), ("commits", COMMIT, range(5, 8))):
        (tmp_path / log).mkdir()
        for batch in batches:
            (tmp_path / log / str(batch)).write_text(text)
            (tmp_path / log / f".{batch}.crc").write_bytes(b"sum")
    (tmp_path / "metadata").write_text('{"id":"one"}')
    return tmp_path


def left(folder: Path) -> dict[str, list[str]]:
    return {log: sorted(path.name for path in (folder / log).iterdir()) for log in ("offsets", "commits")}


def with_sums(*batches: int) -> list[str]:
    return sorted(name for batch in batches for name in (str(batch), f".{batch}.crc"))


def test_a_whole_checkpoint_is_left_as_it_is(folder: Path) -> None:
    before = left(folder)
    assert checkpoints.mend(folder) == []
    assert left(folder) == before


def test_a_checkpoint_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert checkpoints.mend(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("text", ["", "v1", "v1\n", OFFSETS[:30], OFFSETS[:-1], OFFSETS.rsplit("\n", 1)[0]])
def test_a_planned_batch_that_is_torn_is_planned_again(folder: Path, text: str) -> None:
    (folder / "offsets" / "8").write_text(text)
    assert checkpoints.mend(folder) == [folder / "offsets" / "8"]
    assert left(folder) == {"offsets": with_sums(5, 6, 7), "commits": with_sums(5, 6, 7)}


@pytest.mark.parametrize("text", ["", "v1", COMMIT[:-1]])
def test_a_batch_whose_commit_is_torn_is_repeated_with_what_came_after(folder: Path, text: str) -> None:
    (folder / "commits" / "6").write_text(text)
    checkpoints.mend(folder)
    assert left(folder) == {"offsets": with_sums(5), "commits": with_sums(5)}


def test_what_is_put_aside_is_kept(folder: Path) -> None:
    (folder / "offsets" / "8").write_text("v1\n{")
    checkpoints.mend(folder)
    assert (folder / "torn" / "offsets-8").read_text() == "v1\n{"


def test_a_checksum_without_its_file_goes_as_well(folder: Path) -> None:
    (folder / "commits" / "7").unlink()
    checkpoints.mend(folder)
    assert left(folder)["commits"] == with_sums(5, 6)
    assert left(folder)["offsets"] == with_sums(5, 6, 7, 8)


@pytest.mark.parametrize("text", ["", '{"id":"on', None])
def test_a_query_whose_name_is_torn_or_gone_gets_another(folder: Path, text: str | None) -> None:
    metadata = folder / "metadata"
    metadata.unlink() if text is None else metadata.write_text(text)
    checkpoints.mend(folder)
    assert json.loads(metadata.read_text())["id"]
    assert left(folder)["commits"] == with_sums(5, 6, 7)


def test_without_a_whole_batch_before_it_the_torn_file_is_named_with_the_way_back(folder: Path) -> None:
    (folder / "commits" / "5").write_text("")
    before = left(folder)
    with pytest.raises(PermanentError, match=r"commits/5: `freshet down`, move .* away"):
        checkpoints.mend(folder)
    assert left(folder) == before


def test_the_very_first_batch_is_planned_again(folder: Path) -> None:
    for path in [*folder.glob("*/[5-8]"), *folder.glob("*/.[5-8].crc")]:
        path.unlink()
    (folder / "offsets" / "0").write_text("")
    checkpoints.mend(folder)
    assert left(folder) == {"offsets": [], "commits": []}
