"""The lake in a backup: a checkpoint up to its last committed batch, and a table as it is at one version.

Without the leftovers that a vacuum would remove.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from freshet.errors import ConfigError
from freshet.lake import LAYERS
from freshet.settings import PREFIX, Settings
from freshet.upkeep import checkpoints
from freshet.upkeep.lake_files import files
from local.backup.folder import Filling

LOG: Final = "_delta_log"
_VERSION: Final = re.compile(r"(?P<version>\d{20})(\.json|\.crc|\.checkpoint\..+|\.checkpoint\.parquet)")
_COMPACTED: Final = re.compile(r"\d{20}\.(?P<version>\d{20})\.compacted\.json")

Checkpoint = dict[str, dict[int, int]]
"""The next offset by topic and partition."""


def folder_of(settings: Settings) -> Path:
    """The folder of the lake. Raises ConfigError when it is no folder of a machine."""
    folder = settings.lake.folder
    if folder is None:
        raise ConfigError(
            f"{PREFIX}LAKE_ROOT: {settings.lake.root} is not a folder. Keep it by its own means (versioning or "
            "replication of the object store); `freshet backup --no-lake` takes everything else"
        )
    return folder


def is_empty(settings: Settings) -> bool:
    """Whether the lake has no file."""
    return not any(path.is_file() for path in folder_of(settings).rglob("*"))


def checkpoint(settings: Settings, query: str) -> tuple[int, Checkpoint]:
    """The last committed batch of a query, and what is next after it; -1 and nothing when there is none.

    A batch of which a crash left a torn file is not committed: a start would put it aside (`checkpoints.mend`).
    """
    folder = _checkpoint_folder(settings, query)
    torn = {path.name for path in checkpoints.torn(folder)}
    batch = max((number for number in _batches(folder / "commits") if str(number) not in torn), default=-1)
    return batch, offsets_of((folder / "offsets" / str(batch)).read_text()) if batch >= 0 else {}


def offsets_of(text: str) -> Checkpoint:
    """Spark's log of a batch's offsets: a version, a line of metadata, and a line of JSON a source."""
    sources = [json.loads(line) for line in text.splitlines()[2:] if line.strip() not in ("", "-")]
    return {
        topic: {int(number): int(offset) for number, offset in places.items()}
        for source in sources
        for topic, places in source.items()
    }


def save_checkpoint(settings: Settings, query: str, filling: Filling) -> Checkpoint:
    """Copy a query's checkpoint as it was after its last committed batch. Returns what is next after that.

    A batch that was planned and not committed is left out: the records that it names may not be in the tables.
    """
    folder = _checkpoint_folder(settings, query)
    batch, reached = checkpoint(settings, query)
    if batch < 0:
        return {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(folder)
        if name.parts[0] in ("offsets", "commits") and not (path.name.isdigit() and int(path.name) <= batch):
            continue
        try:
            filling.copy(path, f"lake/checkpoints/{query}/{name}")
        except FileNotFoundError:
            # of old batches, of which Spark keeps a hundred
            filling.place(f"lake/checkpoints/{query}/{name}").unlink(missing_ok=True)
    return reached


def pinned(settings: Settings) -> dict[str, DeltaTable]:
    """The tables that are there, each at the version that is its newest now."""
    return {layer: table for layer in LAYERS if (table := _table(settings.lake.table(layer)))}


def save_table(settings: Settings, layer: str, table: DeltaTable, filling: Filling, say: Callable[[str], None]) -> None:
    """Copy a table at the version that it was read at."""
    root = folder_of(settings) / layer
    for path in _log_of(root / LOG, table.version()):
        filling.copy(path, f"lake/{layer}/{LOG}/{path.relative_to(root / LOG)}")
    listed = files(table)
    for number, file in enumerate(listed, start=1):
        name = unquote(str(file["path"]))
        filling.copy(root / name, f"lake/{layer}/{name}")
        if number % 1000 == 0:
            say(f"{layer}: {number:,} of {len(listed):,} files")


def _log_of(folder: Path, version: int) -> Iterator[Path]:
    """The files of a table's log that say what it was at a version."""
    for path in sorted(folder.iterdir()):
        named = _VERSION.fullmatch(path.name) or _COMPACTED.fullmatch(path.name)
        if named and int(named["version"]) <= version:
            yield path
    # Files that checkpoints of the second format name; one too many does no harm.
    yield from sorted((folder / "_sidecars").glob("*.parquet"))
    hint = folder / "_last_checkpoint"
    if hint.exists() and json.loads(hint.read_text())["version"] <= version:
        yield hint


def _table(uri: str) -> DeltaTable | None:
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None


def _checkpoint_folder(settings: Settings, query: str) -> Path:
    return folder_of(settings) / "checkpoints" / query


def _batches(folder: Path) -> Iterator[int]:
    if folder.is_dir():
        yield from (int(path.name) for path in folder.iterdir() if path.name.isdigit())
