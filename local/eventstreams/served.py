"""What the stand-in remembers of its log across restarts: when it began, and how far it was served."""

import json
import time
from pathlib import Path
from typing import Final

from local.eventstreams.clock import Clock
from local.eventstreams.source import Source


class Served:
    """The log of one source at one rate. Entries 0 to `next` - 1 were served to at least one client."""

    def __init__(self, source: Source, rate: float, file: Path) -> None:
        self.source = source
        self.identity = log_identity(source, rate)
        self._rate = rate
        self._file = file
        kept = _read(file).get(self.identity, {})
        self._epoch_ms: int | None = kept.get("epoch_ms")
        self.next: int = kept.get("next", 0)
        self._saved = self.next

    def clock(self) -> Clock:
        """The log's clock, which starts with the first client."""
        if self._epoch_ms is None:
            self._epoch_ms = now_ms()
            self.save()
        return Clock(self._epoch_ms, self._rate)

    def mark(self, index: int) -> None:
        """Entry `index` is handed to a client. A gap that a client left by its own wish stays unserved."""
        if index == self.next:
            self.next += 1

    def proven(self, index: int) -> None:
        """A client goes on at `index` by the id of a frame it got, so all before were served, by a former process."""
        happened = self.clock().happened(now_ms())
        bound = min(index, happened, self.source.total if self.source.total is not None else index)
        self.next = max(self.next, int(bound))

    def save_if_moved(self) -> None:
        """Write what is remembered, when it is news."""
        if self.next != self._saved:
            self.save()

    def save(self) -> None:
        """Write what is remembered. Other logs in the file are kept."""
        logs = {**_read(self._file), self.identity: {"epoch_ms": self._epoch_ms, "next": self.next}}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(logs, indent=1))
        fresh.replace(self._file)
        self._saved = self.next


def log_identity(source: Source, rate: float) -> str:
    """What makes a log: its entries and their times. A position in one means nothing in another."""
    return f"{source.identity}:{rate:g}/s"


class Now:
    """The time of day of a world outside, which is not set back when the clock of this machine is."""

    def __init__(self) -> None:
        self._offset_ns = 0

    def ms(self) -> int:
        """Milliseconds since the epoch."""
        passed_ns = time.monotonic_ns()
        self._offset_ns = max(self._offset_ns, time.time_ns() - passed_ns)
        return (self._offset_ns + passed_ns) // 1_000_000


now_ms: Final = Now().ms


def _read(file: Path) -> dict[str, dict[str, int]]:
    try:
        logs: dict[str, dict[str, int]] = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return logs
