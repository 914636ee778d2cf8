"""`freshet embeddings`: asks Airflow to fill missing vectors, to move to another model or drop one, and follows it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

import typer

from freshet.store.missing import Span
from freshet.upkeep.interval import moment
from freshet.upkeep.moves import Action, Asked
from freshet.upkeep.reembed import DAG
from freshet.upkeep.reembed_plan import plan
from local import running
from local.cli import console, following

ORDER: Final = ("plan", "embed", "index", "compare", "switch", "drop")
SHOWN: Final = (
    "note", "model", "texts", "missing", "missing_of_pages", "estimated_seconds", "estimated_bytes", "embedded",
    "left_pending", "index_seconds", "arrived_meanwhile", "recall", "overlap", "before", "made_pending", "dropped",
    "seconds",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(embeddings)


def embeddings(
    action: Annotated[str, typer.Argument(help="fill, move or drop.")],
    model: Annotated[str, typer.Option(help="The built-in model, or a folder's name; fill: the active one.")] = "",
    since: Annotated[str | None, typer.Option(help="fill: of edits from this time on.")] = None,
    until: Annotated[str | None, typer.Option(help="fill: and before this time.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise it says what would be done.")] = False,
    switch: Annotated[bool, typer.Option(help="move: make it the active one, or only have it ready.")] = True,
    least_overlap: Annotated[float, typer.Option(help="move: least share of neighbours that both models have.")] = 0.0,
    wait: Annotated[bool, typer.Option(help="Follow the run to its end, or return once it is asked for.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Vectors beside the stream: fill missing ones, move to another model without a pause, drop one that was left."""
    settings = running.running_settings()
    span = Span(*(moment(time) if time else None for time in (since, until)))
    asked = Asked(cast("Action", action), model, apply, least_overlap=least_overlap, switch=switch, span=span)
    # what cannot work is said before anything is asked for
    planned = plan(settings, asked.unapplied())
    console.say(", ".join(f"{name} {value}" for name, value in planned.report.items() if name != "applied"))
    if not apply:
        console.say("nothing is changed without --apply")
    parts = _parts(planned.report, asked.chunk_texts) if apply else 0
    report = following.ask(settings, following.Asked(DAG, conf(asked), "embed", parts), wait=wait)
    if report is None:
        return
    if as_json:
        console.emit(report)
    else:
        _show(report)


def conf(asked: Asked) -> dict[str, Any]:
    """The parameters of the DAG."""
    return {
        "action": asked.action,
        "model": asked.model or None,
        "dry_run": not asked.apply,
        "chunk_texts": asked.chunk_texts,
        "least_recall": asked.least_recall,
        "least_overlap": asked.least_overlap,
        "switch": asked.switch,
        "since": asked.span.since and asked.span.since.isoformat(),
        "until": asked.span.until and asked.span.until.isoformat(),
    }


def _parts(planned: Mapping[str, Any], texts: int) -> int:
    of_pages = planned.get("missing_of_pages", 0)
    return sum(-(-missing // texts) for missing in (planned.get("missing", 0) - of_pages, of_pages))


def _show(report: Mapping[str, Any]) -> None:
    for name, part in sorted(report["parts"].items(), key=lambda item: ORDER.index(item[0].partition(" ")[0])):
        words = ", ".join(f"{key} {part[key]}" for key in SHOWN if part.get(key) is not None)
        console.out.print(f"{name}: {words}", markup=False, soft_wrap=True)
