"""A query's checkpoint as a crash may leave it: with files that were being written, empty or cut off.

Spark does not start from such a checkpoint. Both queries may repeat what they have done, so the torn files are put
aside with all that came after them, and the query goes on behind the last batch that is whole.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from freshet.errors import PermanentError

ASIDE: Final = "torn"
"""Folder of a checkpoint for what was put aside."""

_LINES: Final = {"offsets": 3, "commits": 2}
"""A line of the version; of offsets one of the batch and one a source, of a commit one."""


def mend(folder: Path) -> list[Path]:
    """Put aside what keeps Spark from going on. Returns the files that were put aside, as they were named before.

    Raises PermanentError that names the first torn file when no whole batch comes before it.
    """
    damaged = torn(folder)
    batches = [int(path.name) for path in damaged if path.parent.name in _LINES]
    gone = [path for path in damaged if path.parent.name not in _LINES]
    if batches:
        first = min(batches)
        if first and first - 1 not in {int(path.name) for path in _numbered(folder / "commits")}:
            raise PermanentError(f"no whole batch before the torn {_named(damaged, first)}: {way_back(folder)}")
        gone += [path for log in _LINES for path in _numbered(folder / log) if int(path.name) >= first]
    for path in [*gone, *_sums_alone(folder, gone)]:
        _put_aside(path, folder)
    if folder.is_dir() and not (folder / "metadata").exists() and any(_numbered(folder / "offsets")):
        # only a name for the query, without which Spark takes the folder for another's
        (folder / "metadata").write_text(json.dumps({"id": str(uuid.uuid4())}))
    return gone


def torn(folder: Path) -> list[Path]:
    """The files of a checkpoint that are cut off. Empty of one that is whole, or not there."""
    logs = [path for log in _LINES for path in _numbered(folder / log)]
    found = [path for path in logs if not _is_log(path, _LINES[path.parent.name])]
    return found + [path for path in (folder / "metadata",) if path.exists() and not _is_json(path.read_bytes())]


def way_back(folder: Path) -> str:
    """What to do when a checkpoint cannot be mended."""
    return (
        f"`freshet down`, move {folder} away, `freshet up`: the query then begins with the oldest record of the log and"
        " writes nothing twice (docs/operations.md)"
    )


def _numbered(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def _is_log(path: Path, lines: int) -> bool:
    version, *rest = path.read_bytes().splitlines() or [b""]
    return (
        version[:1] == b"v" and len(rest) >= lines - 1 and all(line.strip() == b"-" or _is_json(line) for line in rest)
    )


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _named(damaged: Iterable[Path], batch: int) -> Path:
    return next(path for path in damaged if path.name == str(batch))


def _sums_alone(folder: Path, gone: Iterable[Path]) -> list[Path]:
    """Hadoop's checksums of files that are not there: it refuses to write these files again."""
    without = set(gone)
    return [
        path
        for path in folder.rglob(".*.crc")
        if (file := path.with_name(path.name[1:-4])) in without or not file.exists()
    ]


def _put_aside(path: Path, folder: Path) -> None:
    place = folder / ASIDE / f"{path.parent.name}-{path.name}"
    place.parent.mkdir(exist_ok=True)
    path.replace(place)
