"""`freshet doctor --upgrade` says beforehand what a start would do or fail by, and no process runs on a newer store."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from freshet.environment import environment_of
from freshet.settings import CHECKOUT, Settings
from freshet.store.migrate import FOLDER, migrate, migrations
from local import upgrade
from local.airflow import configuration as airflow
from local.backup import lake
from local.doctor import Finding

pytestmark = pytest.mark.integration


@pytest.fixture
def kept(settings: Settings, database: str, tmp_path: Path) -> Settings:
    """A place with a store that is not migrated, and a lake of its own."""
    known = {"postgres_dsn": SecretStr(database), "kafka_bootstrap_servers": settings.bootstrap_servers}
    return settings.model_copy(update={**known, "state_dir": tmp_path})


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in upgrade.examine(settings)}


def test_migrations_that_a_start_would_apply_are_named_and_not_applied(kept: Settings) -> None:
    for _ in range(2):
        assert migrations()[-1].name in found(kept)["store"].seen
    migrate(kept.conninfo)
    assert found(kept)["store"] == Finding("store", True, "has all migrations")


def test_a_store_that_is_newer_than_the_code_is_no_place_to_start(kept: Settings, tmp_path: Path) -> None:
    later = Path(shutil.copytree(FOLDER, tmp_path / "later"))
    (later / "9999_later.sql").write_text("SELECT 1")
    migrate(kept.conninfo, later)
    store = found(kept)["store"]
    assert not store.well
    assert "9999" in store.seen
    for room in ("freshet.prepare", "indexer", "api"):
        ended = subprocess.run(
            [sys.executable, "-m", room],
            env=environment_of(kept) | {"PYTHONPATH": str(CHECKOUT)},
            cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 1, room
        assert "9999" in ended.stdout + ended.stderr, room


def test_a_checkpoint_that_the_log_does_not_have_is_named(kept: Settings) -> None:
    assert found(kept)["checkpoints"].well
    folder = lake.folder_of(kept) / "checkpoints" / "lake"
    for name, text in {"offsets/0": 'v1\n{}\n{"wiki.raw":{"0":999999999,"7":1}}', "commits/0": "v1\n{}"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    checkpoints = found(kept)["checkpoints"]
    assert not checkpoints.well
    assert "0:999999999, the log ends at" in checkpoints.seen
    assert "7:1, the log has no such partition" in checkpoints.seen


@pytest.mark.parametrize(("version", "well"), [("2.0.1", True), ("99.0", False)])
def test_airflow_migrates_its_database_forward_only(kept: Settings, version: str, well: bool) -> None:
    airflow.home(kept).mkdir()
    (airflow.home(kept) / "migrated").write_text(version)
    assert found(kept)["Airflow's database"].well is well
