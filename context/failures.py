"""How a request for descriptions ends."""

from enum import StrEnum
from typing import Final

from freshet.errors import TransientError


class Outcome(StrEnum):
    """Of a request. Labels of metrics, and what `freshet status` says."""

    ANSWERED = "answered"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    MAXLAG = "maxlag"
    READONLY = "readonly"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    ILLEGAL = "illegal"
    ERROR = "error"
    BROKEN = "broken"
    WRONG = "wrong"


NOT_THE_PAGES: Final = frozenset(
    {Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.MAXLAG, Outcome.READONLY, Outcome.UNREACHABLE, Outcome.REFUSED}
)
"""Failures that any request would have met: the pages of this one are not to blame, and wait for the next."""


class NotAnsweredError(TransientError):
    """A request that was not answered. `wait_s` is how long the server wishes to be left alone, s."""

    def __init__(self, outcome: Outcome, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(f"{outcome}: {reason}")
        self.outcome = outcome
        self.wait_s = wait_s
