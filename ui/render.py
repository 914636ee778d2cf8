"""HTML out of templates that escape everything: what strangers wrote is text wherever it stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from freshet.links import trusted
from ui.fields import layers
from ui.filters import Filters
from ui.rows import cut
from ui.words import card_id

FOLDER: Final = Path(__file__).parent / "templates"
_USERS: Final = {"registered": "registered user", "temporary": "temporary account", "ip": "unregistered user"}
_SOURCES: Final = {
    "simulated": "Simulated edits, not real ones.",
    "recording": "Recorded real edits, replayed and not live.",
}


def skeleton(name: str) -> str:
    """A part of the page that its scripts fill."""
    return _ENVIRONMENT.get_template(name).render()


def sources(turns: Sequence[Mapping[str, Any]]) -> str:
    """The source cards of every answer, those of the newest open and first."""
    return _ENVIRONMENT.get_template("sources.html").render(turns=list(enumerate(turns))[::-1])


def grounds(turn: Mapping[str, Any], filters: Filters) -> str:
    """What the newest answer rests on: what was searched, what narrowed it, who wrote it."""
    return _ENVIRONMENT.get_template("grounds.html").render(
        turn=turn, answer=turn["answer"], filters=filters, copied=_copied(turn["answer"])
    )  # fmt: skip


def trace(found: Mapping[str, Any]) -> str:
    """The way of one document, its layers side by side; of one that was removed when and why."""
    if found.get("status") == "removed":
        return _ENVIRONMENT.get_template("removed.html").render(found=found)
    return _ENVIRONMENT.get_template("trace.html").render(found=found, layers=layers(found))


def problem(title: str, detail: str) -> str:
    """What could not be shown, and why."""
    return _ENVIRONMENT.get_template("problem.html").render(title=title, detail=detail)


def pipeline(seen: Mapping[str, Any]) -> str:
    """Processes, checks and runs."""
    return _ENVIRONMENT.get_template("pipeline.html").render(seen=seen)


def _copied(answer: Mapping[str, Any]) -> str:
    """An answer with the addresses of its sources, as one pastes it elsewhere."""
    links = [
        f"[{source['n']}] {source['title']} ({source['wiki']}) {source['diff_url'] or source['page_url'] or ''}"
        for source in answer["citations"]
    ]
    return "\n".join([answer["answer"].strip(), *([""] if links else []), *links])


def _moment(value: str | None) -> Markup:
    """A time that the page's script shows as an age or in the reader's zone; until then, and without it, in UTC."""
    if value is None:
        return Markup("–")
    when = datetime.fromisoformat(value)
    return Markup('<time-ago datetime="{}">{}</time-ago>').format(
        when.isoformat(), when.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def _delta(value: int | None) -> str:
    return "" if value is None else f"{value:+,} byte{'' if abs(value) == 1 else 's'}".replace("-", "−")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.6g}" if value < 1_000 else f"{value:,.0f}"


def _user(kind: str) -> str:
    return _USERS.get(kind, kind)


_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters.update(
    moment=_moment, delta=_delta, figure=_figure, user=_user, cut=cut, trusted=trusted, card_id=card_id
)
_ENVIRONMENT.globals.update(source_words=_SOURCES)
