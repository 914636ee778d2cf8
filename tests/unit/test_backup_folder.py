"""A backup's folder is whole or not there, private, and checked byte for byte."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from freshet.errors import ConfigError, PermanentError
from freshet.store.migrate import migrations
from local.backup import manifest
from local.backup.folder import Filling, filled, verified
from local.backup.manifest import Manifest
from local.backup.target import check_readable


def described(filling: Filling, **given: Any) -> Manifest:
    values: dict[str, Any] = {
        "format": manifest.FORMAT,
        "made_at": datetime.now(UTC),
        "freshet": "1.0",
        "migrations": [migration.name for migration in migrations()],
        "documents": 1,
        "model": "minilm",
        "airflow": None,
        "indexed": {0: 7},
        "log": {},
        "lake": {"gold": 3},
        "checkpoints": {},
        "files": filling.files,
    }
    return Manifest(**values | given)


def made(folder: Path, **given: Any) -> Path:
    """A backup of two files."""
    with filled(folder) as filling:
        filling.write("lake/gold/one.parquet", b"one")
        filling.write("postgres/freshet.dump", b"two")
        filling.write(manifest.NAME, described(filling, **given).model_dump_json().encode())
    return folder


def test_what_was_written_is_found_again(tmp_path: Path) -> None:
    known = verified(made(tmp_path / "backup"))
    assert set(known.files) == {"lake/gold/one.parquet", "postgres/freshet.dump"}
    assert known.indexed == {0: 7}
    assert known.bytes == 6


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = made(tmp_path / "backup")
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in [folder, *folder.rglob("*")]}
    assert modes == {(True, 0o700), (False, 0o600)}


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"onf"), lambda file: file.unlink()])
def test_a_file_that_is_not_as_written_is_named(tmp_path: Path, damage: Any) -> None:
    folder = made(tmp_path / "backup")
    damage(folder / "lake/gold/one.parquet")
    with pytest.raises(PermanentError, match=r"lake/gold/one\.parquet"):
        verified(folder)


def test_half_a_backup_is_none(tmp_path: Path) -> None:
    def cut_off() -> None:
        with filled(tmp_path / "backup") as filling:
            filling.write("one", b"1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert not any(tmp_path.iterdir())


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ConfigError, match="never written over"):
        made(tmp_path)
    assert (tmp_path / "mine").read_text() == "mine"


def test_an_empty_folder_becomes_the_backup(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    assert verified(made(tmp_path / "backup"))


def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="is no backup"):
        verified(tmp_path)
    (tmp_path / manifest.NAME).write_text("{}")
    with pytest.raises(PermanentError, match="cannot be understood"):
        verified(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="format 2"):
        verified(made(tmp_path / "backup", format=2))


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "lake/../../outside"])
def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path: Path, name: str) -> None:
    folder = made(tmp_path / "backup")
    text = (folder / manifest.NAME).read_text()
    (folder / manifest.NAME).write_text(text.replace("postgres/freshet.dump", name))
    with pytest.raises(PermanentError, match="not inside"):
        verified(folder)


def test_a_backup_of_a_newer_freshet_is_refused(tmp_path: Path) -> None:
    with filled(tmp_path / "backup") as filling:
        newer = described(filling, migrations=["0001_documents", "9999_later"])
    with pytest.raises(PermanentError, match="9999_later"):
        check_readable(newer)
