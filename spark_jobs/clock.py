"""The machine's clock, set back: a trigger waits for a time of day, and would wait for it once more."""

import time
from collections.abc import Callable
from typing import Final

STEP_S: Final = 5.0
"""A smaller step makes one batch late by no more than itself."""


class Clock:
    """Compares the time of day with the time that has passed, which nobody can set."""

    def __init__(self, now: Callable[[], float] = time.time, passed: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._passed = passed
        self._offset = now() - passed()

    def set_back_s(self) -> float:
        """Seconds by which it was set back since the last call; 0 when it was not, or by `STEP_S` at most."""
        before, self._offset = self._offset, self._now() - self._passed()
        back_s = before - self._offset
        return back_s if back_s > STEP_S else 0.0
