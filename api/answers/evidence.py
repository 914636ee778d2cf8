"""What an answer is made of: the question as it was searched for, and the edits that support an answer."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from api import time_words
from api.answers.extractive import Cited, choose
from api.answers.follow_ups import searches
from api.answers.searched import Searched
from api.answers.voices import once
from api.models.answers import REMEMBERED, AskIn, Citation, Turn
from api.retrieval import Retrieved, described
from api.services import Provided
from api.time_words import Window
from freshet.store import lookup
from freshet.store.filters import Filters

# More than are cited, because the fused order is not the order of support: an edit near in meaning may come after
# several that share one word with the question.
CONSIDERED: Final = 30
AMONG_REPEATS: Final = 300
"""Where most of those only repeat each other."""


@dataclass(frozen=True)
class Evidence:
    """`cited` and `sources` are the same edits by the same numbers, as the store has them and as they are given out;
    without any there is nothing to answer from. `begun` is the performance counter's time of the question."""

    answer_id: UUID
    asked_at: datetime
    asked: AskIn
    conversation: list[Turn]
    cited: list[Cited]
    sources: list[Citation]
    searched: Searched
    window: Window | None
    newest: lookup.Newest
    degraded: dict[str, str]
    begun: float
    retrieval_ms: float


async def gather(services: Provided, asked: AskIn) -> Evidence:
    """Search for what supports an answer. Raises psycopg.Error or TransientError when Postgres does not answer."""
    begun, asked_at = time.perf_counter(), datetime.now(UTC)
    conversation = asked.conversation[-REMEMBERED:]
    question, window = _narrowed(asked.question, asked.time_words, asked_at)
    earlier = [_narrowed(turn.content, asked.time_words, asked_at)[0] for turn in conversation if turn.role == "user"]
    filters, window = _filters(asked, window)
    cited: list[Cited] = []
    degraded: dict[str, str] = {}
    for query in searches(question, earlier):
        retrieved = await _considered(services, query, filters)
        degraded |= retrieved.degraded
        if cited := choose(once(retrieved.found), asked.limit):
            break
    extent = await services.retrieval.extent(filters)
    now = datetime.now(UTC)
    return Evidence(
        answer_id=uuid4(),
        asked_at=asked_at,
        asked=asked,
        conversation=conversation,
        cited=cited,
        sources=[citation(one, now) for one in cited],
        searched=Searched(extent, filters.wikis, window.words if window else None, now),
        window=window,
        newest=retrieved.newest,
        degraded=degraded,
        begun=begun,
        retrieval_ms=milliseconds_since(begun),
    )


async def _considered(services: Provided, query: str, filters: Filters) -> Retrieved:
    """The nearest edits; and more of them where most only repeat what others say."""
    retrieved = await services.retrieval.search(query, filters, CONSIDERED)
    if len(retrieved.found) < CONSIDERED or 2 * len(once(retrieved.found)) > CONSIDERED:
        return retrieved
    return await services.retrieval.search(query, filters, AMONG_REPEATS)


def citation(cited: Cited, now: datetime) -> Citation:
    """An edit as it is given out."""
    found = cited.found
    return Citation(**described(found, now), n=cited.n, quote=found.text)


def milliseconds_since(begun: float) -> float:
    """Since a time of the performance counter."""
    return round((time.perf_counter() - begun) * 1000, 1)


def _narrowed(question: str, time_words_count: bool, now: datetime) -> tuple[str, Window | None]:
    """A question without its words of time, and the window that they name, to the second: so others may share it."""
    window = time_words.read(question, now.replace(microsecond=0)) if time_words_count else None
    return (window.rest if window else "") or question, window


def _filters(asked: AskIn, window: Window | None) -> tuple[Filters, Window | None]:
    """A filter of time goes before the question's own window."""
    filters = asked.filters.to_store()
    if window is None or filters.since or filters.until:
        return filters, None
    return replace(filters, since=window.since, until=window.until), window
