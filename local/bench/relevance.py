"""Judged questions, and how well a ranking answers them. Pure, but for reading the files."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freshet.errors import ConfigError

DEPTH = 10

Grades = Mapping[str, int]
"""Grade of each relevant document by its id: 1 related, 2 squarely on the topic. Others are not relevant."""


@dataclass(frozen=True)
class Question:
    """A question with what is relevant to it; nothing is, for one that no document answers."""

    text: str
    kind: str
    grades: Grades


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of the question-answering benchmark, and the questions that it answers."""

    paragraph_id: str
    title: str
    text: str
    questions: Sequence[str]


def edit_questions(file: Path) -> list[Question]:
    """Judged questions over recorded edits, by `meta.id`. Raises ConfigError when there is no such file."""
    return [
        Question(row["query"], row["kind"], {one["event_id"]: one["grade"] for one in row["relevant"]})
        for row in _rows(file)
    ]


def paragraphs(file: Path) -> list[Paragraph]:
    """XQuAD's English paragraphs. Raises ConfigError when there is no such file."""
    return [
        Paragraph(str(row["paragraph_id"]), row["title"].replace("_", " "), row["text"], row["questions"])
        for row in _rows(file)
    ]


def ndcg(ranked: Sequence[str], grades: Grades) -> float:
    """Normalised discounted cumulative gain of the first ten, gains as graded: 1 is the best order there is."""
    best = sorted(grades.values(), reverse=True)
    return _gain([grades.get(one, 0) for one in ranked]) / _gain(best)


def recall(ranked: Sequence[str], grades: Grades) -> float:
    """Share of the relevant documents among the first ten; of more than ten relevant ones not all can be there."""
    return len(set(ranked[:DEPTH]) & set(grades)) / len(grades)


def summary(rankings: Sequence[Sequence[str]], questions: Sequence[Question]) -> dict[str, float]:
    """Means over the questions that have an answer: `ndcg10` and `recall10`."""
    pairs = [(ranked, one.grades) for ranked, one in zip(rankings, questions, strict=True) if one.grades]
    return {
        "ndcg10": round(_mean([ndcg(*pair) for pair in pairs]), 3),
        "recall10": round(_mean([recall(*pair) for pair in pairs]), 3),
    }


def by_kind(rankings: Sequence[Sequence[str]], questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """The summary of `all` questions that have an answer, and of each kind of them."""
    pairs = [(ranked, one) for ranked, one in zip(rankings, questions, strict=True) if one.grades]
    kinds = dict.fromkeys(one.kind for _, one in pairs)
    of = {"all": pairs, **{kind: [pair for pair in pairs if pair[1].kind == kind] for kind in kinds}}
    return {kind: summary([ranked for ranked, _ in each], [one for _, one in each]) for kind, each in of.items()}


def reciprocal_rank_fusion(*rankings: Sequence[str], k: int = 60) -> list[str]:
    """The usual way to fuse rankings (Cormack et al., 2009), to compare the product's with."""
    scores: dict[str, float] = {}
    for ranked in rankings:
        for place, one in enumerate(ranked, 1):
            scores[one] = scores.get(one, 0) + 1 / (k + place)
    return sorted(scores, key=lambda one: -scores[one])


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(place + 1) for place, grade in enumerate(grades[:DEPTH], 1))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in file.read_text().splitlines() if line]
    except FileNotFoundError as error:
        raise ConfigError(f"{file} is not there: name the folder of judged questions by --data") from error
