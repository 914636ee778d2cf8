"""`freshet backfill`: asks Airflow to read history again, and follows it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from freshet.upkeep import fill_history
from freshet.upkeep.fill_history import Plan
from freshet.upkeep.interval import written
from local import running
from local.cli import console, following
from local.cli.following import Asked


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backfill)


def backfill(
    since: Annotated[str | None, typer.Option(help="Events from this time on, such as 2026-11-23T10:15:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="And before this time; without it up to now.")] = None,
    archive: Annotated[
        list[Path] | None, typer.Option(help="An NDJSON file, plain or .gz, instead of the stream.")
    ] = None,
    gaps: Annotated[bool, typer.Option("--gaps", help="The gaps that are found in bronze, instead of a time.")] = False,
    rate: Annotated[float | None, typer.Option(help="Most events/s; without it the setting.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was filled before.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise it says what would be done.")] = False,
    wait: Annotated[bool, typer.Option(help="Follow the run to its end, or return once it is asked for.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Read history again, from the event stream or from archives, while live edits stay fresh."""
    settings, now = running.running_settings(), datetime.now(UTC)
    params: dict[str, Any] = {
        "since": since, "until": until, "archives": [str(path.absolute()) for path in archive or ()],
        "gaps": gaps, "rate": rate, "again": again, "dry_run": not apply,
    }  # fmt: skip
    asked = fill_history.wanted("manual", params, params, None, now, fills_gaps=False)
    plan = fill_history.plan(settings, asked, now)
    _say(plan, gaps=gaps)
    if not plan.parts:
        if as_json:
            console.emit({"parts": {"plan": plan.as_json()}, "total": {}})
        return
    if asked.history and asked.history.until:
        # what is now was said here; the run begins somewhat later
        params["until"] = written(asked.history.until)
    report = following.ask(settings, Asked("backfill_history", params, "fill", len(plan.parts)), wait=wait)
    if report is None:
        return
    if as_json:
        console.emit(report)
    else:
        _show(report)


def _say(plan: Plan, *, gaps: bool) -> None:
    if gaps:
        for gap in plan.seen.gaps:
            console.say(
                f"a gap: {gap.interval}, about {gap.missing:,} of {gap.there + gap.missing:,} events are missing"
            )
        if not plan.parts:
            console.say(plan.seen.note or f"no gap in {plan.seen.minutes:,} minutes")
            return
    how = "reading" if plan.apply else "looking (nothing is sent without --apply)"
    words = [f"{how}: {'1 part' if len(plan.parts) == 1 else f'{len(plan.parts)} parts'}"]
    if plan.minutes is not None:
        words.append(f"{plan.minutes:,g} minutes")
    if plan.events is not None:
        words.append(f"about {plan.events:,} events, {plan.events / plan.rate:,.0f} s at {plan.rate:g}/s")
    console.say(", ".join(words))


def _show(report: Mapping[str, Any]) -> None:
    total = report["total"]
    said = ("read", "sent", "canaries", "rejected", "expected", "waited_seconds", "seconds")
    console.out.print(", ".join(f"{name} {total[name]:,}" for name in said if total.get(name)), markup=False)
    for line in fill_history.remarks(report["parts"]):
        console.out.print(line, markup=False, soft_wrap=True)
