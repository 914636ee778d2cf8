"""Texts of strangers, so that they can be kept and shown."""

import unicodedata
from typing import Final

_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows, beyond the text that they are in."""


def storable(text: str) -> str:
    """The same as Postgres keeps it, which has neither U+0000 nor half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def phrase(text: str, longest: int) -> str:
    """A short text for one line: storable, without control characters, blanks collapsed, cut to so many characters."""
    plain = (" " if unicodedata.category(one) == "Cc" else one for one in storable(text) if one not in _TURNS)
    return " ".join("".join(plain).split())[:longest].rstrip()
