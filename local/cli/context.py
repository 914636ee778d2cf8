"""`freshet backfill-context`: asks Airflow to have pages that were seen before described, and follows it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from freshet.upkeep import backfill_context as work
from local import running
from local.cli import console, following

ASKED: Final = ("asked", "described", "missing", "failing", "seconds")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backfill_context)


def backfill_context(
    since: Annotated[str | None, typer.Option(help="Pages with an edit from this time on.")] = None,
    until: Annotated[str | None, typer.Option(help="And before this time.")] = None,
    wiki: Annotated[list[str] | None, typer.Option("--wiki", help="Only this wiki; may be repeated.")] = None,
    stale: Annotated[bool, typer.Option("--stale", help="Also pages whose description has become old.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise it says what would be done.")] = False,
    wait: Annotated[bool, typer.Option(help="Follow the run to its end, or return once it is asked for.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Ask what pages are about that were seen before `context` was there, behind what the stream asks."""
    settings = running.running_settings()
    params: dict[str, Any] = {
        "since": since, "until": until, "wikis": wiki or [], "stale": stale, "chunk_pages": work.CHUNK_PAGES,
        "dry_run": not apply,
    }  # fmt: skip
    # what cannot work is said before anything is asked for
    _, planned = work.plan(settings, work.asked({**params, "dry_run": True}))
    console.say(
        f"{planned['pages']:,} pages of {planned['wikis']:,} wikis, {planned['requests']:,} requests: about"
        f" {planned['estimated_seconds']:,.0f} s at {settings.context_requests_per_minute:g} a minute"
    )
    if not apply:
        console.say("nothing is asked without --apply")
    parts = -(-planned["pages"] // work.CHUNK_PAGES) if apply else 0
    report = following.ask(settings, following.Asked(work.DAG, params, "ask", parts), wait=wait)
    if report is None:
        return
    if as_json:
        console.emit(report)
    else:
        _show(report)


def _show(report: Mapping[str, Any]) -> None:
    words = (f"{name} {report['total'][name]:,}" for name in ASKED if name in report["total"])
    console.out.print(", ".join(words), markup=False, soft_wrap=True)
