"""The extractive answerer: sentences made from the retrieved edits, no model. Pure and deterministic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.answers.prose import edit, quoted
from freshet.store.search import Found

# Measured over 2,166 recorded edits with MiniLM: of 15 questions about which no edit was, the nearest edit had a cosine
# of .25 to .44 and held at most a quarter of the telling words; of 25 others, 18 had an edit above. At .40 four of the
# 15 were answered, at .50 only 13 of the 25. Every model has its own scale.
MIN_COSINE: Final = 0.45
# An edit that holds more than this share of the question's telling words supports an answer whatever its cosine: that
# is how names, and languages that the model does not know, are found.
MIN_COVERAGE: Final = 0.5


@dataclass(frozen=True)
class Cited:
    """The edit behind the mark `[n]`."""

    n: int
    found: Found


def choose(found: Sequence[Found], limit: int) -> list[Cited]:
    """The `limit` best of `found`, best first, that support an answer, numbered so that a page's edits are together."""
    pages: dict[tuple[str, str], list[Found]] = {}
    for one in [one for one in found if supports(one)][:limit]:
        pages.setdefault((one.wiki, one.title), []).append(one)
    return [Cited(n, one) for n, one in enumerate((one for page in pages.values() for one in page), 1)]


def supports(found: Found) -> bool:
    """Whether an edit is about the question: near in meaning, or holding most of its telling words."""
    return (found.cosine is not None and found.cosine >= MIN_COSINE) or found.coverage > MIN_COVERAGE


def lines(cited: Sequence[Cited], newest: datetime) -> list[str]:
    """The answer, each line with its end: a sentence a page, a mark `[n]` an edit. `newest` is the time of the newest
    edit that was searched."""
    pages: dict[tuple[str, str], list[Cited]] = {}
    for one in cited:
        pages.setdefault((one.found.wiki, one.found.title), []).append(one)
    sentences = [f"- {_sentence(page, newest)}\n" for page in pages.values()]
    return ["What the edits nearest to the question say:\n", *sentences]


def _sentence(page: Sequence[Cited], newest: datetime) -> str:
    name = f'"{quoted(page[0].found.title)}" ({quoted(page[0].found.wiki)})'
    said = "; ".join(edit(one.found, newest, f"[{one.n}]") for one in page)
    return f"{name}: {said}." if len(page) == 1 else f"{name}, {len(page)} edits: {said}."
