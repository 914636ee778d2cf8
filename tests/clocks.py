"""A clock that can be set while processes run: what they are told is the time of day, by libfaketime."""

import shutil
from pathlib import Path

import pytest

from freshet.settings import CHECKOUT

TOOLS = CHECKOUT / ".cache/tools/libfaketime"
LIBRARIES = (TOOLS / "waits.so", TOOLS / "vendor/libfaketime/src/libfaketime.so.1")
NO_FAKETIME = "no libfaketime: scripts/faketime.sh builds it"


class SettableClock:
    """The real time until it is set. Spans of time are the real ones throughout, as on a machine whose clock is set."""

    def __init__(self, folder: Path) -> None:
        if not all(library.exists() for library in LIBRARIES):
            pytest.skip(NO_FAKETIME)
        # the user that Postgres runs as may not read a checkout
        self._libraries = [shutil.copy(library, folder) for library in LIBRARIES]
        self._file = folder / "clock"
        self.set(0)

    def set(self, ahead_s: int) -> None:
        """So many seconds ahead of the real time from now on, behind it if negative."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n")
        new.chmod(0o644)
        new.replace(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process, and all that it starts, read this clock."""
        return {
            "LD_PRELOAD": ":".join(map(str, self._libraries)),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # the file is read again after a second
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # with it a JVM waits by spinning
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }
