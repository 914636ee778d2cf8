"""When the next request may be made, and how large: evenly spaced, later after failures, never two at once or more."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from context.request import MOST_PAGES

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 300.0
OPENS_AFTER: Final = 5
"""Failures in a row after which the breaker is open: then one request is tried at the end of each pause."""


class Pace:
    """The rate, the back-off and the circuit breaker. Time that was not used is not saved up, so there is no burst.

    A request takes half as many pages after each failure, and twice as many after each answer: whatever makes a request
    fail by itself ends up alone, and a server that comes back is not met with the most at once.
    """

    def __init__(
        self, per_minute: float, *, first_wait_s: float = FIRST_WAIT_S, clock: Callable[[], float] = monotonic
    ) -> None:
        self._every_s = 60 / per_minute
        self._first_wait_s = first_wait_s
        self._clock = clock
        self._next = 0.0
        self._failures = 0
        self.most_pages = MOST_PAGES
        self.hold()

    @property
    def wait_s(self) -> float:
        """How long nothing may be asked, s."""
        return max(0.0, self._next - self._clock())

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open: the server is left alone but for a trial now and then."""
        return self._failures >= OPENS_AFTER

    def hold(self) -> None:
        """A request is made now, perhaps by somebody else: the next one has its distance to it."""
        self._next = max(self._next, self._clock() + self._every_s)

    def answered(self) -> None:
        """The request was answered."""
        self._failures = 0
        self.most_pages = min(MOST_PAGES, self.most_pages * 2)

    def failed(self, wish_s: float = 0.0) -> None:
        """The request was not answered; the server wishes to be left alone for so long."""
        wait_s = min(LONGEST_WAIT_S, self._first_wait_s * 2.0 ** min(self._failures, 20))
        self._failures += 1
        self.most_pages = max(1, self.most_pages // 2)
        self._next = max(self._next, self._clock() + max(wait_s, wish_s))
