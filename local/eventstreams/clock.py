"""When entry i of the stand-in's log happens, and which entry is the first at or after a time."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Entry i happens at `epoch_ms` + i * 1000 / `rate` ms; with rate 0 one millisecond apart, and without waiting."""

    epoch_ms: int
    rate: float

    @property
    def _per_ms(self) -> float:
        return self.rate / 1000 if self.rate else 1.0

    def timestamp(self, index: int) -> int:
        """Milliseconds since the epoch at which entry `index` happens."""
        return self.epoch_ms + math.floor(index / self._per_ms)

    def first_at(self, timestamp_ms: int) -> int:
        """The first entry that happens at or after `timestamp_ms`."""
        index = max(0, math.floor((timestamp_ms - self.epoch_ms) * self._per_ms) - 1)
        # Begun one too early and moved up, because rounding may be off and an entry skipped here would be lost.
        while self.timestamp(index) < timestamp_ms:
            index += 1
        return index

    def happened(self, now_ms: int) -> float:
        """How many entries have happened; with rate 0 without bound."""
        return self.first_at(now_ms + 1) if self.rate else math.inf
