"""The extractive answerer: sentences made from the retrieved edits, no model. Pure and deterministic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from api.answers.prose import duration, edit, moment, provenance, quoted
from freshet.store.lookup import Extent
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


@dataclass(frozen=True)
class Answer:
    """Text with marks `[n]`, each of which is in `citations`; a refusal has none."""

    text: str
    outcome: Literal["grounded", "refused"]
    citations: list[Cited]


def answer(
    found: Sequence[Found], searched: Extent, now: datetime, limit: int, time_words: str | None = None
) -> Answer:
    """Answer from the `limit` best of `found`, best first, that support an answer. `searched` is what the filters left
    to search, `now` the time of asking; `time_words` are the question's own, when they were among the filters."""
    closing = _searched(searched, now, time_words)
    supporting = [one for one in found if supports(one)][:limit]
    if not supporting:
        return Answer(f"No edit supports an answer. {closing}", "refused", [])
    pages = _by_page(supporting)
    cited = [Cited(n, one) for n, one in enumerate((one for page in pages for one in page), 1)]
    numbers = {one.found.doc_id: one.n for one in cited}
    newest = searched.newest_event_time or max(one.event_time for one in supporting)
    lines = [f"- {_page(page, numbers, newest)}" for page in pages]
    closing += " This answer is extractive: made of the edits themselves, without a model."
    return Answer("\n".join(["What the edits nearest to the question say:", *lines, "", closing]), "grounded", cited)


def supports(found: Found) -> bool:
    """Whether an edit is about the question: near in meaning, or holding most of its telling words."""
    return (found.cosine is not None and found.cosine >= MIN_COSINE) or found.coverage > MIN_COVERAGE


def _by_page(found: Sequence[Found]) -> list[list[Found]]:
    pages: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        pages.setdefault((one.wiki, one.title), []).append(one)
    return list(pages.values())


def _page(edits: Sequence[Found], numbers: dict[str, int], newest: datetime) -> str:
    name = f'"{quoted(edits[0].title)}" ({quoted(edits[0].wiki)})'
    said = "; ".join(edit(one, newest, f"[{numbers[one.doc_id]}]") for one in edits)
    return f"{name}: {said}." if len(edits) == 1 else f"{name}, {len(edits)} edits: {said}."


def _searched(searched: Extent, now: datetime, time_words: str | None) -> str:
    narrowed = f' Your question narrowed it: "{quoted(time_words)}".' if time_words else ""
    if searched.oldest_event_time is None or searched.newest_event_time is None:
        return f"There was nothing to search: no edit passes the filters.{narrowed}"
    edits = "1 edit" if searched.documents == 1 else f"{searched.documents:,} edits"
    window = f"from {moment(searched.oldest_event_time)} to {moment(searched.newest_event_time)}"
    age = duration(now - searched.newest_event_time)
    return f"Searched {edits} {window}, the newest {age} old ({provenance(searched.sources)}).{narrowed}"
