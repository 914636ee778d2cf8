"""One supervised process, as a declaration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Readiness = Callable[[], bool]
"""Answers within about a second whether the process does its work. It never raises."""


@dataclass(frozen=True)
class Process:
    """What to run, when to start it, how to see that it works, and how it ends.

    `ports` maps the name of the setting that moves a port to the port. `start_seconds` and `retries` are the restart
    policy: a process that ends sooner than `start_seconds` after its start is started again with a growing pause,
    `retries` times in a row; then it is given up and shown as FATAL. A process with a `niceness` works in the time
    that the others leave. One that is not `awaited` is started when all the others work, and no start waits for it.
    """

    name: str
    command: tuple[str, ...]
    ready: Readiness
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    start_seconds: int = 15
    retries: int = 5
    user: str | None = None
    folder: Path | None = None
    niceness: int = 0
    awaited: bool = True
