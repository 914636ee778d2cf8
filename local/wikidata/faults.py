"""What can go wrong with Wikidata."""

from enum import StrEnum


class Fault(StrEnum):
    """One at a time, until another is asked for."""

    NONE = "none"
    LIMITED = "429"
    BUSY = "503"
    MAXLAG = "maxlag"
    READONLY = "readonly"
    ERROR = "error"
    HANG = "hang"
    CUT = "cut"
    TRUNCATED = "truncated"
    HTML = "html"
    TYPES = "types"
    WRONG = "wrong"
    SILENT = "silent"
    NO_PAIRS = "no-pairs"
