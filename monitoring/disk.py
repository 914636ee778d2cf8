"""The disk that the embedded stack keeps its state on."""

import psutil

from freshet.settings import Settings
from freshet.telemetry import metrics


class Disk:
    """The disk of the state folder."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state_dir

    def look(self) -> None:
        """Set the gauges. Raises OSError when the folder is not there."""
        usage = psutil.disk_usage(str(self._folder))
        metrics.DISK_FREE.set(usage.free)
        metrics.DISK_SIZE.set(usage.total)
