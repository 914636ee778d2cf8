"""Words that others wrote, strangers or a model, as words and nothing else: no Markdown, no HTML, no link, no code of a
terminal, nothing that cannot be seen. Pure."""

import re
from typing import Final

# Look-alikes instead of escapes: an answer is read as plain text as often as it is rendered as Markdown, and a
# backslash or an entity would be right in only one of them. A citation's quote has the text as it was stored.
_HARMLESS: Final = str.maketrans(
    {"[": "(", "]": ")", "<": "‹", ">": "›", "`": "'", '"': "'", "\\": "/", "&": "＆", "*": "∗", "~": "∼", "@": "＠"}
)
# What ends a line, steers a terminal, turns or hides text, or is letters that nobody sees.
_INVISIBLE: Final = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
# Renderers make links of bare addresses: without these beginnings, and without //, they stay text.
_LINK: Final = re.compile(r"(?i)(?<![^\W_])(?:[a-z][a-z0-9+.-]{1,15}://|www\.|mailto:|javascript:)+")
# Marks that bend letters or draw rules when there are two or more of them.
_RUN: Final = re.compile(r"([_#|$=/])\1+")
# An underscore within a word is one of its letters; at its edge it bends the word.
_EDGE: Final = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_SPACES: Final = re.compile(r" {2,}")

_BRACKETS: Final = str.maketrans("［］【】〔〕", "[][][]")
_MARK: Final = re.compile(r" *\[ ?\d[\d ,;-]{0,14}\]")
_LONGEST_MARK: Final = 18
# What makes a heading, a list or a rule of a line that begins with it.
_LEADING: Final = re.compile(r"\A(?: |(?:[#+=-]+|\d{1,9}[.)])(?= |$))+")
# Where text may be cut so that nothing before is changed by what follows: before a space, and between two letters of
# the scripts that do without spaces.
_UNSPACED: Final = (
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LAST_CUT: Final = re.compile(rf"(?s).*(?: |(?<={_UNSPACED})(?={_UNSPACED}))")


def visible(text: str) -> str:
    """The text with a space for everything that nobody sees, line breaks among it."""
    return _INVISIBLE.sub(" ", text)


def plain(text: str) -> str:
    """One line that neither Markdown, HTML nor a terminal can take for anything but words."""
    return _SPACES.sub(" ", _harmless(visible(text))).strip(" ")


def _harmless(text: str) -> str:
    return _RUN.sub(r"\1", _LINK.sub("", _EDGE.sub("", text.translate(_HARMLESS))))


class PlainStream:
    """Text that comes in pieces made plain, without the marks `[n]` that are not its writer's to give.

    However it is cut, the same text comes out: the last word is held back until it is whole, so that a link or a mark
    in two pieces is caught as well.
    """

    def __init__(self) -> None:
        self._held = ""
        self._space = ""
        self._begun = False

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        self._held += visible(piece).translate(_BRACKETS)
        settled = self._held[: _settled(self._held)].rstrip(" ")
        self._held = self._held[len(settled) :]
        return self._shown(settled)

    def end(self) -> str:
        """What was held back."""
        rest, self._held = self._held, ""
        return self._shown(rest)

    def _shown(self, text: str) -> str:
        spaced = self._space + _harmless(_MARK.sub("", text))
        if not self._begun:
            spaced = _LEADING.sub("", spaced)
        shown = _SPACES.sub(" ", spaced).rstrip(" ")
        self._begun = self._begun or bool(shown)
        self._space = " " if spaced.endswith(" ") else ""
        return shown


def _settled(text: str) -> int:
    """How much of the text nothing that follows can change."""
    cut = _cut(text, len(text))
    while (opened := text.rfind("[", max(0, cut - _LONGEST_MARK), cut)) >= 0 and "]" not in text[opened:cut]:
        cut = _cut(text, opened)
    return cut


def _cut(text: str, end: int) -> int:
    found = _LAST_CUT.match(text, 0, end)
    return found.end() if found else 0
