"""Looks at one thing again and again, in a thread of its own: one that does not answer holds up no other."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from freshet.telemetry import logs, metrics


@dataclass(frozen=True)
class Target:
    """What is looked at every `interval_s`. A look sets gauges, or raises what went wrong and leaves none behind."""

    name: str
    look: Callable[[], None]
    interval_s: float


def watch(target: Target, stopping: Event) -> Thread:
    """Look until it is time to stop."""

    def run() -> None:
        well = True
        while True:
            well = look(target, well)
            if stopping.wait(target.interval_s):
                return

    thread = Thread(target=run, name=target.name, daemon=True)
    thread.start()
    return thread


def look(target: Target, was_well: bool) -> bool:
    """One look. Returns whether it succeeded; the log has a line when that changes."""
    try:
        with metrics.LOOK.labels(target.name).time():
            target.look()
    except Exception as error:  # noqa: BLE001  (the top of a loop: it goes on, and says that it could not look)
        metrics.SEEN.labels(target.name).set(0)
        if was_well:
            logs.get().warning("a look failed", target=target.name, error=str(error) or type(error).__name__)
        return False
    metrics.SEEN.labels(target.name).set(1)
    if not was_well:
        logs.get().info("it answers again", target=target.name)
    return True
