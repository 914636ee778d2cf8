"""What a question means after others: the words to search for. Pure."""

from collections.abc import Sequence
from typing import Final

from freshet.store.words import EMPTY_WORDS, parse

# English words that stand for something said before, and those that may: "that" also only joins two clauses.
_STANDING: Final = frozenset("it its they them their he him his she her hers".split())
_POINTING: Final = frozenset("this that these those one ones".split())


def searches(question: str, earlier: Sequence[str]) -> list[str]:
    """What to search for, in order, until something supports an answer: the question alone, or before it, when it leans
    on the `earlier` ones, together with them back to the last that stands by itself."""
    context: list[str] = []
    for one in reversed(earlier):
        context.insert(0, one)
        if not leans(one):
            break
    if not context:
        return [question]
    together = " ".join([*context, question])
    return [together, question] if leans(question) else [question, together]


def leans(question: str) -> bool:
    """Whether a question cannot be understood without what was said before it."""
    words = {word.strip(".,;:?!'\"()").lower() for word in question.split()}
    telling = {word for term in parse(question).wanted for word in term.lower().split()} - EMPTY_WORDS
    return not telling or bool(words & _STANDING) or (len(telling) == 1 and bool(words & _POINTING))
