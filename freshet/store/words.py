"""From what somebody typed to the terms that the full-text leg looks for. Pure."""

import re
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

_TERM: Final = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>\w+(?:[\'’.]\w+)*))')


@dataclass(frozen=True)
class Words:
    """`wanted`: words and phrases, any of which may match; `unwanted`: none of them may."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def parse(query: str) -> Words:
    """Read a query as people write it: words, "phrases", -unwanted. Never fails, whatever the text."""
    wanted: dict[str, str] = {}
    unwanted: dict[str, str] = {}
    for match in _TERM.finditer(query):
        term = " ".join(re.findall(r"[\w'’.]+", match["phrase"] or match["word"] or ""))
        if term:
            (unwanted if match["minus"] else wanted).setdefault(term.lower(), term)
    telling = [term for key, term in wanted.items() if key not in EMPTY_WORDS] or list(wanted.values())
    return Words(tuple(telling[:MAX_TERMS]), tuple(list(unwanted.values())[:MAX_TERMS]))


def any_of(terms: tuple[str, ...]) -> str:
    """The terms as one `websearch_to_tsquery` text that matches when any of them does."""
    return " or ".join(f'"{term}"' for term in terms)
