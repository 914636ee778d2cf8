"""The folder of a backup: filled under another name, renamed when it is whole, and checked byte for byte."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from freshet.errors import ConfigError, PermanentError
from local.backup import manifest
from local.backup.manifest import Kept, Manifest

CHUNK_BYTES: Final = 1 << 20
SHOWN: Final = 10


class Filling:
    """A backup that is being made. `files` are those it has so far, by their path in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Kept] = {}

    def place(self, name: str) -> Path:
        """Where a file goes; its folder is made."""
        path = self.folder / name
        # of several folders made at once only the last would get the mode
        for folder in reversed(path.relative_to(self.folder).parents[:-1]):
            (self.folder / folder).mkdir(exist_ok=True, mode=0o700)
        return path

    def copy(self, source: Path, name: str) -> None:
        """Copy a file. Raises FileNotFoundError when it is gone."""
        with source.open("rb") as stream, _created(self.place(name)) as target:
            self.files[name] = copied(stream, target)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        with _created(self.place(name)) as target:
            target.write(content)
        self.note(name)

    def note(self, name: str) -> None:
        """Take in a file that something else has written to its place."""
        path = self.folder / name
        path.chmod(0o600)
        with path.open("rb") as stream:
            self.files[name] = copied(stream, None)
            os.fsync(stream.fileno())

    def bytes(self, under: str) -> int:
        """How much is under a folder of it."""
        return sum(file.bytes for name, file in self.files.items() if name.startswith(under))


@contextmanager
def filled(folder: Path) -> Iterator[Filling]:
    """A backup to fill. It has its name once the block has ended well, and is gone when it has not.

    Raises ConfigError when something is there already.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already and not an empty folder: a backup is never written over anything")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial-{secrets.token_hex(4)}")
    partial.mkdir(mode=0o700)
    try:
        yield Filling(partial)
        partial.rename(folder)
        _sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def verified(folder: Path) -> Manifest:
    """The manifest of a backup whose every file is as it was written. Raises PermanentError that names what is not."""
    known = manifest.read(folder)
    wrong = [name for name, kept in sorted(known.files.items()) if _differs(folder / name, kept)]
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise PermanentError(f"{folder} is damaged: {', '.join(wrong[:SHOWN])}{more} missing or not as written")
    return known


def copied(stream: BinaryIO, target: BinaryIO | None) -> Kept:
    """Read a stream to its end, into `target` where there is one. Returns what it held."""
    digest, size = hashlib.sha256(), 0
    while part := stream.read(CHUNK_BYTES):
        digest.update(part)
        size += len(part)
        if target:
            target.write(part)
    return Kept(sha256=digest.hexdigest(), bytes=size)


def _differs(path: Path, kept: Kept) -> bool:
    try:
        with path.open("rb") as stream:
            return copied(stream, None) != kept
    except OSError:
        return True


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        yield target
        target.flush()
        os.fsync(target.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
