"""Damaged files of the lake on this machine: which they are, and putting them aside so that all goes on without them.

What they held is inserted again by the lake query, which then begins with the oldest record of the log.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from freshet.delta import UNREADABLE
from freshet.lake import LAYERS
from freshet.upkeep.lake_files import files

Kind = Literal["table", "entry", "summary", "data"]
"""`table`: its log has no beginning or a gap. `entry`: the newest of its log. `summary`: a checkpoint of its log, whose
entries are still there. `data`: a file with rows."""

ASIDE: Final = "damaged"
"""Folder of the lake for what was put aside."""

WAY_BACK: Final = "put it back from a backup, or do without: `freshet down`, `freshet mend --apply`, `freshet up`"

_ENTRY: Final = re.compile(r"\d{20}\.json")
_SUMMARY: Final = re.compile(r"(?P<version>\d{20})\.checkpoint\..*parquet")


@dataclass(frozen=True)
class Damage:
    """A file that cannot be read. `kind` says what is put aside because of it: of a `table` its whole folder."""

    layer: str
    kind: Kind
    file: Path
    what: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.file} {self.what}"


def found(root: Path) -> list[Damage]:
    """The damage of all tables, from their logs and the ends of their files. No row is read."""
    return [damage for layer in LAYERS if (root / layer).is_dir() for damage in _of_table(root / layer)]


def put_aside(root: Path, damaged: Sequence[Damage], name: str) -> list[Path]:
    """Move what is damaged, and the lake query's checkpoint, to the folder `damaged/NAME` of the lake.

    Nothing of Freshet may run. Returns what was moved, by the paths of before.
    """
    moved = [path for damage in damaged for path in _concerned(root, damage)]
    if not damaged:
        return []
    moved.append(root / "checkpoints" / "lake")
    there = [path for path in dict.fromkeys(moved) if path.exists()]
    for path in there:
        place = root / ASIDE / name / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    for layer in {damage.layer for damage in damaged if damage.kind == "data"}:
        # notes in the table's log that the files which are gone are no part of it
        DeltaTable(str(root / layer)).repair()
    return there


def _of_table(folder: Path) -> Iterator[Damage]:
    in_log = list(_of_log(folder))
    yield from in_log
    if not in_log:
        yield from _of_data(folder)


def _of_log(folder: Path) -> Iterator[Damage]:
    log, layer = folder / "_delta_log", folder.name
    entries = {int(path.stem): path for path in log.glob("*.json") if _ENTRY.fullmatch(path.name)}
    summaries = {int(found["version"]): path for path in log.iterdir() if (found := _SUMMARY.fullmatch(path.name))}
    torn = {version: path for version, path in summaries.items() if not _is_parquet(path)}
    newest = max([*entries, *summaries], default=-1)
    first = max((version for version in summaries if version not in torn), default=-1) + 1
    for version in range(first, newest + 1):
        file = log / f"{version:020}.json"
        what = "is missing" if version not in entries else "" if _is_entry(file) else "is cut off"
        if what:
            alone = version == newest and version in entries and version > 0
            yield Damage(layer, "entry" if alone else "table", file, what)
            return
    if newest < 0:
        yield Damage(layer, "table", log, "is empty")
    yield from (Damage(layer, "summary", path, "is no Parquet file") for path in torn.values())


def _of_data(folder: Path) -> Iterator[Damage]:
    try:
        listed = files(DeltaTable(str(folder)))
    except UNREADABLE as error:
        yield Damage(folder.name, "table", folder / "_delta_log", f"cannot be read: {str(error).splitlines()[0]}")
        return
    for path in (folder / unquote(str(file["path"])) for file in listed):
        if not path.exists():
            yield Damage(folder.name, "data", path, "is missing")
        elif not _is_parquet(path):
            yield Damage(folder.name, "data", path, "is no Parquet file")


def _is_entry(file: Path) -> bool:
    try:
        return bool([json.loads(line) for line in file.read_bytes().splitlines()])
    except ValueError:
        return False


def _is_parquet(file: Path) -> bool:
    try:
        pq.read_metadata(file)
    except (pa.ArrowException, OSError):
        return False
    return True


def _concerned(root: Path, damage: Damage) -> Iterable[Path]:
    """What is moved because of it: the file with its checksums, or the table."""
    if damage.kind == "table":
        return [root / damage.layer]
    folder, name = damage.file.parent, damage.file.name
    sums = [folder / f".{name}.crc"]
    if damage.kind == "entry":
        of_version = f"{damage.file.stem}.crc"
        sums += [folder / of_version, folder / f".{of_version}.crc"]
    if damage.kind == "summary":
        sums += [folder / "_last_checkpoint", folder / "._last_checkpoint.crc"]
    return [damage.file, *sums]
