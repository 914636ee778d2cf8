"""Texts as Markdown that means nothing but the text, and an answer's marks as links to its cards. Pure."""

import re
from typing import Final

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
# An answer holds no brackets but those of its marks.
_MARK: Final = re.compile(r"\[(\d{1,3})\]")


def literal(text: str) -> str:
    """Any text, as Markdown that shows it letter for letter: every sign that could be markup is escaped."""
    lines = _PUNCTUATION.sub(r"\\\1", text).splitlines()
    return "  \n".join(line.strip() for line in lines)


def marked(answer: str, turn: int) -> str:
    """An answer whose marks `[n]` lead to the cards of this turn. The API has made the rest of it harmless."""
    return _MARK.sub(lambda mark: f"[\\[{mark[1]}\\]](#{card_id(turn, int(mark[1]))})", answer)


def card_id(turn: int, n: int) -> str:
    """The name of a source's card on the page."""
    return f"source-{turn}-{n}"
