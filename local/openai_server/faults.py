"""What can go wrong with a model."""

from enum import StrEnum

PREFIX = "fault-"


class Fault(StrEnum):
    """Asked for by the server's option, or in one request by the model's name: `fault-cut`."""

    NONE = "none"
    ERROR = "500"
    LIMITED = "429"
    DENIED = "401"
    HANG = "hang"
    STALL = "stall"
    CUT = "cut"
    GARBAGE = "garbage"
    BROKEN = "broken"
    LENGTH = "length"
    FILTERED = "filtered"
    REFUSAL = "refusal"
    PROSE = "prose"
    TYPES = "types"
    EMPTY = "empty"
    NO_CLAIMS = "no-claims"
    CITATIONS = "citations"
    TEXT_FIRST = "text-first"
    OBEDIENT = "obedient"


def of_model(name: str, otherwise: Fault) -> Fault:
    """The fault that a model's name asks for."""
    known = {f"{PREFIX}{fault}": fault for fault in Fault}
    return known.get(name, otherwise)
