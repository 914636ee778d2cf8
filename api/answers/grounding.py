"""From the JSON that a model writes, piece by piece, to text in which every claim has its marks `[n]`. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic_core import from_json

from api.answers.plain import PlainStream
from api.answers.prompt import MOST_CLAIMS

LONGEST: Final = 64_000
"""Letters of JSON: a server that goes on for ever is not listened to for ever."""


class MalformedError(ValueError):
    """What the model wrote is not the JSON that it was asked for."""


class Grounding:
    """Reads `{"claims": [{"citations": [1], "text": "..."}]}` as it grows, and gives out what may be shown of it.

    Nothing of a claim is shown before its citations are known and one of them holds. However the JSON is cut, the same
    text comes out. `cited` are the numbers that the text cites, `removed` counts citations that hold nothing, `dropped`
    claims that were left out.
    """

    def __init__(self, sources: int) -> None:
        self.cited: list[int] = []
        self.removed = 0
        self.dropped = 0
        self._sources = range(1, sources + 1)
        self._json = ""
        self._finished = 0
        self._claim: _Claim | None = None
        self._begun = False

    def feed(self, piece: str) -> str:
        """What can be shown now. Raises MalformedError as soon as it is known."""
        self._json += piece
        if len(self._json) > LONGEST:
            raise MalformedError("too long")
        if not self._json.strip():
            return ""
        return self._advance(_claims(_parsed(self._json, partial=True), []), whole=False)

    def end(self) -> str:
        """What was held back. Raises MalformedError when the JSON is not whole."""
        return self._advance(_claims(_parsed(self._json, partial=False), None), whole=True)

    def _advance(self, claims: Sequence[Any], whole: bool) -> str:
        if len(claims) < self._finished + (self._claim is not None):
            raise MalformedError("claims were taken back")
        shown = ""
        for index in range(self._finished, len(claims)):
            complete = whole or index < len(claims) - 1
            shown += self._read(claims[index], complete)
            if complete:
                shown += self._finish()
        return shown

    def _read(self, claim: Any, complete: bool) -> str:
        if not isinstance(claim, dict):
            raise MalformedError("a claim is no object")
        if self._claim is None and _citable(claim, complete):
            self._claim = self._open(claim["citations"])
        if self._claim is None:
            return ""
        shown = self._claim.read(claim["text"], complete)
        if shown and not self._claim.shown:
            # a claim begins a line
            shown = f"\n{shown}" if self._begun else shown
            self._claim.shown = self._begun = True
        return shown

    def _open(self, citations: Any) -> "_Claim":
        """Numbers that are no source's, or there already, are left out."""
        if not isinstance(citations, list):
            raise MalformedError("citations are no list")
        if self._finished >= MOST_CLAIMS:
            return _Claim([])
        held = list(dict.fromkeys(n for n in citations if type(n) is int and n in self._sources))
        self.removed += len(citations) - len(held)
        return _Claim(held)

    def _finish(self) -> str:
        claim, self._claim = self._claim, None
        self._finished += 1
        if claim is None or not claim.shown:
            self.dropped += 1
            return ""
        self.cited += [n for n in claim.citations if n not in self.cited]
        return " " + "".join(f"[{n}]" for n in claim.citations)


class _Claim:
    """A claim whose citations are known. Without any, nothing of it is shown."""

    def __init__(self, citations: list[int]) -> None:
        self.citations: Final = citations
        self.shown = False
        self._text = ""
        self._plain = PlainStream()

    def read(self, text: Any, complete: bool) -> str:
        """The text as far as it goes; what of it can be shown now."""
        if not isinstance(text, str) or not text.startswith(self._text):
            raise MalformedError("a text is no string, or was taken back")
        piece, self._text = text[len(self._text) :], text
        shown = self._plain.feed(piece) + (self._plain.end() if complete else "")
        return shown if self.citations else ""


def _parsed(text: str, partial: bool) -> Any:
    try:
        return from_json(text, allow_partial="trailing-strings" if partial else False)
    except ValueError as error:
        raise MalformedError(f"no JSON: {error}") from error


def _claims(parsed: Any, absent: list[Any] | None) -> list[Any]:
    claims = parsed.get("claims", absent) if isinstance(parsed, dict) else None
    if not isinstance(claims, list):
        raise MalformedError("there is no list of claims")
    return claims


def _citable(claim: dict[str, Any], complete: bool) -> bool:
    """Whether the citations are known: they are once the text after them has begun, because 1 may be the beginning of
    12. A claim whose text comes first is held until it is complete."""
    if complete and not {"citations", "text"} <= claim.keys():
        raise MalformedError("a claim lacks its citations or its text")
    order = list(claim)
    return complete or ("text" in order and "citations" in order and order.index("citations") < order.index("text"))
