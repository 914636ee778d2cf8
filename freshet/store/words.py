"""From what somebody typed to the terms that the full-text leg looks for. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_TERMS: Final = 16
"""A question of more terms than this is cut: each costs an index lookup and no answer needs them all."""

# Words that tell nothing about the subject: English function words, and how people speak of edits in a question about
# edits. The 'simple' dictionary, which serves every other language, drops none by itself.
EMPTY_WORDS: Final = frozenset(
    """
    a about after again all also am an and any are as at be because been before being between both but by can could did
    do does doing down during each few for from had has have having he her here hers him his how i if in into is it its
    just me more most my no nor not of off on once only or other our out over own same she should so some such than that
    the their them then there these they this those through to too under until up us very was we were what when where
    which while who whom why will with would you your
    article articles change changed changes changing currently edit edited editing edits going happen happened happening
    happens latest lately new newest news now page pages people recent recently right show tell today wiki wikipedia
    wikipedians wikipedia's
    """.split()
)

# Scripts without spaces between words, as the function letter_pairs in the store's migrations has them.
_SPACELESS: Final = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_RUN: Final = re.compile(rf"[{_SPACELESS}]+|[^{_SPACELESS}]+")
_SPACELESS_RUN: Final = re.compile(rf"[{_SPACELESS}]{{2,}}")

_TERM: Final = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>\w+(?:[\'’.]\w+)*))')


@dataclass(frozen=True)
class Words:
    """`wanted`: words and phrases, any of which may match; `unwanted`: none of them may."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def parse(query: str) -> Words:
    """Read a query as people write it: words, "phrases", -unwanted. Never fails, whatever the text.

    Of a script without spaces the pairs of neighbouring letters are the words.
    """
    wanted: dict[str, str] = {}
    unwanted: dict[str, str] = {}
    for match in _TERM.finditer(query):
        phrase = " ".join(re.findall(r"[\w'’.]+", match["phrase"] or ""))
        for term in [phrase] if phrase else _words(match["word"] or ""):
            (unwanted if match["minus"] else wanted).setdefault(term.lower(), term)
    telling = [term for key, term in wanted.items() if key not in EMPTY_WORDS] or list(wanted.values())
    return Words(tuple(telling[:MAX_TERMS]), tuple(list(unwanted.values())[:MAX_TERMS]))


def _words(word: str) -> Iterator[str]:
    for run in _RUN.findall(word):
        if _SPACELESS_RUN.fullmatch(run):
            yield from (run[place : place + 2] for place in range(len(run) - 1))
        else:
            yield run
