"""What happens while an answer is written, in this order: its sources, its text, the whole of it."""

from dataclasses import dataclass

from api.models.answers import AskOut, Citation


@dataclass(frozen=True)
class Sources:
    """The edits that the answer is made from. Those that it cites in the end are in `Done`."""

    sources: list[Citation]


@dataclass(frozen=True)
class Token:
    """The next letters of the answer; a mark `[n]` is whole in one of them."""

    text: str


@dataclass(frozen=True)
class Restart:
    """What was written so far is void; the answer begins anew."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The answer. Its text is that of the tokens since the last restart."""

    answer: AskOut


@dataclass(frozen=True)
class Failed:
    """The answer cannot be finished, by a fault of ours that is in the log. It is the last event."""


Event = Sources | Token | Restart | Done | Failed
