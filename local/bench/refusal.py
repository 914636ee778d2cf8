"""Which questions are answered and which refused, and the scores by which that is decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import httpx

from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.store.search import Found
from local.bench.relevance import Question

NONE: Final = "none"
"""The kind of the judged questions that no edit answers."""

_SCORES: Final[Mapping[str, Callable[[Found], float | None]]] = {
    "cosine": lambda one: one.cosine,
    "page_cosine": lambda one: one.page_cosine,
    "words": lambda one: one.coverage,
}

STEPS: Final = tuple(round(0.05 * step, 2) for step in range(5, 17))
TIMEOUT_S: Final = 60


def ask(settings: Settings, questions: Sequence[Question], wikis: Sequence[str]) -> dict[str, int]:
    """Ask the running API. `right` and `wrong` count the refused and the answered of the questions without an answer;
    `answered` and `refused` those of the others."""
    counts = {"right": 0, "wrong": 0, "answered": 0, "refused": 0}
    url = f"http://{settings.api_host}:{settings.api_port}/v1/ask"
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
        for question in questions:
            refused = _outcome(client, url, question, wikis) == "refused"
            if question.kind == NONE:
                counts["right" if refused else "wrong"] += 1
            else:
                counts["refused" if refused else "answered"] += 1
    return counts


def curve(
    found: Sequence[Sequence[Found]], questions: Sequence[Question], off_topic: Sequence[Sequence[Found]]
) -> dict[str, list[dict[str, float]]]:
    """For each threshold of the edit's cosine, its page's and the share of words: the share of questions with an edit
    above it.

    Of the questions that edits answer, of the judged ones that none answers, and of questions about other things.
    """
    groups = {
        "answerable": [each for each, one in zip(found, questions, strict=True) if one.kind != NONE],
        "unanswerable": [each for each, one in zip(found, questions, strict=True) if one.kind == NONE],
        "off_topic": off_topic,
    }
    best = {
        score: {
            name: [max((of_one(one) or 0 for one in each), default=0) for each in of] for name, of in groups.items()
        }
        for score, of_one in _SCORES.items()
    }
    return {score: [_at(threshold, values) for threshold in STEPS] for score, values in best.items()}


def _at(threshold: float, values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    shares = {name: sum(value >= threshold for value in of) / max(1, len(of)) for name, of in values.items()}
    return {"threshold": threshold, **{name: round(share, 3) for name, share in shares.items()}}


def plot(points: Sequence[Mapping[str, float]], width: int = 30) -> list[str]:
    """The curve as lines of text: a bar for each group at each threshold."""
    names = [name for name in points[0] if name != "threshold"]
    head = "  >=   " + "  ".join(f"{name:<{width + 5}}" for name in names)
    rows = [
        f"{point['threshold']:.2f}   "
        + "  ".join(f"{'#' * round(point[name] * width):<{width}} {point[name]:.2f}" for name in names)
        for point in points
    ]
    return [head, *rows]


def _outcome(client: httpx.Client, url: str, question: Question, wikis: Sequence[str]) -> Any:
    try:
        response = client.post(url, json={"question": question.text, "filters": {"wikis": list(wikis)}})
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise TransientError(f"the API does not answer at {url}: {error}") from error
    return response.json()["outcome"]
