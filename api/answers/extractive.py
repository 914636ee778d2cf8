"""The extractive answerer: sentences made from the retrieved edits, no model. Pure and deterministic."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.answers.prose import about, edit, origins, quoted
from freshet.store.search import Found

MIN_COSINE: Final = 0.45
"""An edit of whose page nothing is known supports an answer when it is as near to the question. From the plots that
`freshet bench retrieval` draws with MiniLM: docs/decisions/0024-two-vectors.md. Every model has its own scale."""

MIN_PAGE_COSINE: Final = 0.5
"""Where it is known what its page is about, either of the two must be as near as this."""

MIN_COVERAGE: Final = 0.5
"""An edit that holds more of the question's telling words supports an answer whatever its cosine: so names are found,
and languages that the model does not know."""

OF_A_PAGE: Final = 3


@dataclass(frozen=True)
class Cited:
    """The edit behind the mark `[n]`."""

    n: int
    found: Found


def choose(found: Sequence[Found], limit: int) -> list[Cited]:
    """The `limit` best of `found`, best first, that support an answer, numbered so that a page's edits are together.

    More than OF_A_PAGE edits of one page are chosen only when no other page supports an answer.
    """
    seen: Counter[tuple[str, str]] = Counter()
    chosen: list[Found] = []
    further: list[Found] = []
    for one in filter(supports, found):
        seen[one.wiki, one.title] += 1
        (chosen if seen[one.wiki, one.title] <= OF_A_PAGE else further).append(one)
    pages: dict[tuple[str, str], list[Found]] = {}
    for one in [*chosen, *further][:limit]:
        pages.setdefault((one.wiki, one.title), []).append(one)
    return [Cited(n, one) for n, one in enumerate((one for page in pages.values() for one in page), 1)]


def supports(found: Found) -> bool:
    """Whether an edit is about the question: near in meaning by itself or by its page, or holding most of its telling
    words."""
    least = MIN_COSINE if found.page_cosine is None else MIN_PAGE_COSINE
    return (found.nearness is not None and found.nearness >= least) or found.coverage > MIN_COVERAGE


def lines(cited: Sequence[Cited], newest: datetime) -> list[str]:
    """The answer, each line with its end: a sentence a page, a mark `[n]` an edit, and who says what the pages are.
    `newest` is the time of the newest edit that was searched."""
    pages: dict[tuple[str, str], list[Cited]] = {}
    for one in cited:
        pages.setdefault((one.found.wiki, one.found.title), []).append(one)
    sentences = [f"- {_sentence(page, newest)}\n" for page in pages.values()]
    return [
        "What the edits nearest to the question say:\n",
        *sentences,
        *origins([one[0].found for one in pages.values()]),
    ]


def _sentence(page: Sequence[Cited], newest: datetime) -> str:
    found = page[0].found
    what = about(found)
    name = f'"{quoted(found.title)}" ({quoted(found.wiki)}{f"; {what}" if what else ""})'
    said = "; ".join(edit(one.found, newest, f"[{one.n}]") for one in page)
    return f"{name}: {said}." if len(page) == 1 else f"{name}, {len(page)} edits: {said}."
