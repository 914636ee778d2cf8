"""Recorded events: one JSON object a line, plain or gzipped, served byte for byte or moved to now."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from freshet.errors import ConfigError
from local.eventstreams.source import Described, Kind, compact, iso_ms


class Recording:
    """The lines of a file in their order. Blank lines are left out, bad ones served as they are.

    Raises ConfigError when there is no such file, it cannot be read, or it holds no line.
    """

    name = "recording"

    def __init__(self, path: Path, *, retime: bool) -> None:
        self._lines = _lines(path)
        self._retime = retime
        digest = hashlib.sha256(b"\n".join(self._lines)).hexdigest()[:16]
        self.identity = f"recording:{digest}" + (":retimed" if retime else "")
        self.total = len(self._lines)

    def data(self, index: int, timestamp_ms: int) -> bytes:
        """The line; when retimed, with meta.dt and timestamp of `timestamp_ms`."""
        line = self._lines[index]
        event = _event(line) if self._retime else None
        if event is None:
            return line
        meta = {**event["meta"], "dt": iso_ms(timestamp_ms)}
        return compact({**event, "meta": meta, "timestamp": timestamp_ms // 1000})

    def describe(self, index: int) -> Described:
        """What the line is to a reader that wants a JSON object with a meta.id."""
        event = _event(self._lines[index])
        event_id = event["meta"].get("id") if event else None
        if event is None or not isinstance(event_id, str) or not event_id:
            return Described(Kind.MALFORMED, None)
        return Described(Kind.CANARY if event["meta"].get("domain") == "canary" else Kind.EVENT, event_id)


def _lines(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError) as error:
        raise ConfigError(f"FRESHET_RECORDING: cannot read {path}: {error}") from error
    # Not splitlines(): a carriage return inside a line stays where it is unless it ends it.
    lines = [line.rstrip(b"\r") for line in content.split(b"\n") if line.strip()]
    if not lines:
        raise ConfigError(f"FRESHET_RECORDING: {path} holds no event")
    return lines


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("meta"), dict) else None
