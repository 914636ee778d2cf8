"""Embedding beside the stream: what is asked for, the steps it takes, what they cost, what they must come to. Pure."""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, get_args

from freshet.errors import PermanentError
from freshet.store.embeddings import Texts
from freshet.store.missing import EVERYTHING, Hashes, Span

Action = Literal["fill", "move", "drop"]
Step = Literal["embed", "index", "compare", "switch", "drop"]

Name = Step | Literal["plan", "report"]
"""Of a task."""

STEPS: Final[Mapping[Action, tuple[Step, ...]]] = {
    "fill": ("embed",),
    "move": ("embed", "index", "compare", "switch"),
    "drop": ("drop",),
}

CHUNK_TEXTS: Final = 5_000
"""Texts of a chunk: about a minute's work, which is what a kill can cost in attempts, not in vectors."""

MOST_CHUNKS: Final = 500
"""A run has no more parts than this: chunks become larger instead."""

LEAST_RECALL: Final = 0.95

WINDOW_S: Final = 60.0
"""The rate is that of so long a time."""


class Chunk(NamedTuple):
    """Texts of documents or of pages, those with hashes in a range: the work of one part."""

    texts: Texts
    hashes: Hashes

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Chunk":
        """As `row` gave it."""
        texts, *hashes = row
        return cls(texts, Hashes(*hashes))

    def row(self) -> list[Any]:
        """As JSON holds it."""
        return [self.texts, *self.hashes]


_MODEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

# A row: its header and line pointer, a hash of 64 letters, the vector. An entry of the primary key: its header, line
# pointer and the hash, in pages that are nine tenths full.
_ROW_BYTES: Final = 24 + 4 + 68 + 8
_KEY_BYTES: Final = round((8 + 4 + 72) / 0.9)


@dataclass(frozen=True)
class Asked:
    """What a run is to do. Without `apply` it only says what it would do.

    fill: vectors that are missing, of documents and pages in `span`, by `model`, the active one when that is "".
    move: make `model` the active one, or with `switch` false have it ready. drop: delete `model` and its vectors.
    """

    action: Action
    model: str = ""
    apply: bool = False
    chunk_texts: int = CHUNK_TEXTS
    least_recall: float = LEAST_RECALL
    least_overlap: float = 0.0
    switch: bool = True
    span: Span = EVERYTHING

    def __post_init__(self) -> None:
        """Raises PermanentError when it makes no sense."""
        if self.action not in get_args(Action):
            raise PermanentError(f"{self.action!r} is none of {', '.join(get_args(Action))}")
        if not self.model and self.action != "fill":
            raise PermanentError(f"which model to {self.action}? Name it as `model`")
        if self.model and not _MODEL.fullmatch(self.model):
            raise PermanentError(f"{self.model!r} is no name of a model: small letters, digits and hyphens, at most 40")
        if any(time is not None and time.tzinfo is None for time in self.span):
            raise PermanentError("a time is in no time zone: one that is ends in Z, or in +01:00")
        if self.action != "fill" and any(self.span):
            raise PermanentError(f"times are for fill: a {self.action} is of all documents")

    def unapplied(self) -> "Asked":
        """The same as a dry run."""
        return replace(self, apply=False)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done after the plan, in this order."""
        wanted = STEPS[self.action] if self.apply else ()
        return tuple(step for step in wanted if step != "switch" or self.switch)


def asked(params: Mapping[str, Any], run_type: str, since: datetime | None, until: datetime | None) -> Asked:
    """What a run of the DAG is to do: by hand as its parameters say; by schedule, or in a backfill over dates, fill
    what is missing of the documents of its interval. Raises PermanentError when the parameters make no sense."""
    if run_type in ("scheduled", "backfill"):
        return Asked("fill", apply=True, chunk_texts=params["chunk_texts"], span=Span(since, until))
    given = dict(params)
    span = Span(*(datetime.fromisoformat(time) if time else None for time in (given.pop("since"), given.pop("until"))))
    return Asked(apply=not given.pop("dry_run"), model=given.pop("model") or "", span=span, **given)


def chunk_size(texts: int, wanted: int) -> int:
    """How many texts a chunk has, so that there are not too many chunks."""
    return max(wanted, -(-texts // MOST_CHUNKS))


def table_bytes(texts: int, dimensions: int, index_bytes: int) -> int:
    """What a model's table takes with its indexes, about."""
    return texts * (_ROW_BYTES + 2 * dimensions + _KEY_BYTES) + index_bytes


class Pace:
    """How fast texts are done, over the last WINDOW_S."""

    def __init__(self, now: float) -> None:
        self._seen = deque([(now, 0)])

    def add(self, texts: int, now: float) -> float | None:
        """So many more by `now`, s. Returns texts/s, None while no time has passed."""
        self._seen.append((now, self._seen[-1][1] + texts))
        while len(self._seen) > 2 and self._seen[1][0] < now - WINDOW_S:
            self._seen.popleft()
        (began, before), (_, done) = self._seen[0], self._seen[-1]
        return (done - before) / (now - began) if now > began else None


@dataclass(frozen=True)
class Compared:
    """Two models and the new one's indexes, by so many texts as queries.

    `overlap`: share of the ten nearest that both models have. `recall`: share of the new model's ten nearest that its
    index finds. Each is the worse one of documents and pages.
    """

    texts: int
    overlap: float
    recall: float

    def faults(self, wanted: Asked) -> list[str]:
        """Why the new model must not be switched to."""
        bounds = {"recall": (self.recall, wanted.least_recall), "overlap": (self.overlap, wanted.least_overlap)}
        return [
            f"{name} is {value:.3f}, least is {least:g}" for name, (value, least) in bounds.items() if value < least
        ]


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of what is among both, of the longer one."""
    return len(set(one) & set(other)) / max(len(one), len(other), 1)


def recall(found: Sequence[tuple[str, float]], best: Sequence[tuple[str, float]]) -> float:
    """Share of the best that was found; each with its distance. Of several that are equally near any will do."""
    if not best:
        return 1.0
    return min(1.0, sum(distance <= best[-1][1] + 1e-6 for _, distance in found) / len(best))
