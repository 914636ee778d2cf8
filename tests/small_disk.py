"""A disk of a few megabytes, which a test fills and empties."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import NO_SMALL_DISK

BLOCK = b"\0" * 65_536


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """The folder that it is mounted on, for everybody to write to. Skips where it cannot be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    try:
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip(NO_SMALL_DISK)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Nothing more fits on the disk of this folder until the block ends."""
    filler = folder / "filler"
    fill(filler)
    try:
        yield
    finally:
        filler.unlink()


def fill(file: Path) -> None:
    """Let the file take all that is left."""
    with file.open("ab", buffering=0) as stream:
        try:
            while stream.write(BLOCK):
                pass
        except OSError:
            return
