"""A damaged file of the lake is named with the way back; those who read the lake say so, and nothing else breaks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from freshet.delta import UNREADABLE
from freshet.errors import PermanentError
from freshet.settings import Settings, load_settings
from freshet.upkeep import damage, lake_files
from local.audit import reading
from local.cli import app
from monitoring.lake import Lake
from tests.api_builders import insert
from tests.documents import NOON, document
from tests.integration.conftest import Application

pytestmark = pytest.mark.integration

ROWS = 6


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a lake whose silver has a commit and a file for each row."""
    folder = tmp_path / "lake"
    for number in range(ROWS):
        row = pa.table({"event_id": [f"e{number}"], "event_time": [NOON]})
        write_deltalake(folder / "silver", row, mode="append")
    (folder / "checkpoints" / "lake").mkdir(parents=True)
    return load_settings(lake_root=f"file://{folder}", state_dir=tmp_path / "state")


@pytest.fixture
def table(settings: Settings) -> Path:
    folder = settings.lake.folder
    assert folder is not None
    return folder / "silver"


def entry(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def data(table: Path) -> Path:
    """The file of the first row."""
    listed = lake_files.files(DeltaTable(table))
    return table / next(file["path"] for file in listed if file["min.event_id"] == "e0")


def summary(table: Path) -> Path:
    DeltaTable(table).create_checkpoint()
    return table / "_delta_log" / f"{ROWS - 1:020}.checkpoint.parquet"


def emptied(file: Path) -> Path:
    file.write_bytes(b"")
    return file


def cut(file: Path) -> Path:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


def gone(file: Path) -> Path:
    file.unlink()
    return file


CASES: dict[str, tuple[Callable[[Path], Path], str, int]] = {
    "the newest entry is empty": (lambda table: emptied(entry(table, ROWS - 1)), "is cut off", ROWS - 1),
    "the newest entry is cut off": (lambda table: cut(entry(table, ROWS - 1)), "is cut off", ROWS - 1),
    "an entry is cut off": (lambda table: cut(entry(table, 2)), "is cut off", 0),
    "an entry is missing": (lambda table: gone(entry(table, 2)), "is missing", 0),
    "a checkpoint of the log is cut off": (lambda table: cut(summary(table)), "is no Parquet file", ROWS),
    "a file of rows is missing": (lambda table: gone(data(table)), "is missing", ROWS - 1),
    "a file of rows is cut off": (lambda table: cut(data(table)), "is no Parquet file", ROWS - 1),
}
"""What is damaged, what is said of it, and how many rows are left without it."""


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, table: Path) -> tuple[Path, str, int]:
    damaging, what, left = CASES[request.param]
    return damaging(table), what, left


def test_the_file_is_named_and_put_aside_and_the_rest_can_be_read(
    settings: Settings, table: Path, case: tuple[Path, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, what, left = case
    for name in ("state_dir", "lake_root"):
        monkeypatch.setenv(f"FRESHET_{name.upper()}", str(getattr(settings, name)))
    said = CliRunner().invoke(app, ["mend"])
    assert said.exit_code == 1
    assert f"silver: {file} {what}" in said.output
    assert damage.found(table.parent), "without --apply nothing is changed"
    done = CliRunner().invoke(app, ["mend", "--apply"])
    assert done.exit_code == 0, done.output
    assert damage.found(table.parent) == []
    assert not (table.parent / "checkpoints" / "lake").exists()
    assert (len(DeltaTable(table).to_pyarrow_table()) if table.exists() else 0) == left
    assert list((table.parent / "damaged").rglob(file.name)) or "is missing" in what
    assert CliRunner().invoke(app, ["mend"]).exit_code == 0


@pytest.mark.parametrize(
    ("case", "unread"),
    [
        ("the newest entry is empty", "newest commit"),
        ("an entry is cut off", "all"),
        ("a file of rows is cut off", "rows"),
    ],
    indirect=["case"],
)
def test_who_reads_the_lake_says_that_it_cannot_and_the_api_answers_on(
    settings: Settings, application: Application, store: str, case: tuple[Path, str, int], unread: str
) -> None:
    insert(store, document(doc_id="e0", event_time=NOON))
    with TestClient(application(None, lake_root=settings.lake_root)) as client:
        status = client.get("/v1/freshness").json()["layers"]["lake"]["silver"]["status"]
        assert status == "ok" if unread == "rows" else "`freshet mend`" in status
        trace = client.get("/v1/documents/e0/trace")
        assert trace.status_code == 200
        assert unread == "newest commit" or "the lake cannot be read" in trace.json()["silver"]["status"]
        assert client.post("/v1/search", json={"query": "anything"}).status_code == 200
    if unread != "newest commit":
        with pytest.raises(PermanentError, match=r"silver cannot be read .*: `freshet mend` names the file"):
            reading.table(settings, "silver", ["event_id"])


def test_the_exporter_sees_no_table_whose_log_is_damaged(settings: Settings, table: Path) -> None:
    emptied(entry(table, ROWS - 1))
    with pytest.raises(UNREADABLE):
        Lake(settings).look()


def test_a_whole_lake_has_no_damage(settings: Settings, table: Path) -> None:
    summary(table)
    cut(entry(table, 2))
    assert damage.found(table.parent) == [], "what a checkpoint of the log stands for is read no more"
    shutil.rmtree(table)
    assert damage.found(table.parent) == []
