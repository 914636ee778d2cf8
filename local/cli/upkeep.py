"""`freshet replay`: asks Airflow for a replay and follows it."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape

from freshet.upkeep.locate import plan_replay
from freshet.upkeep.replay import Plan, request
from local import running
from local.cli import console, following
from local.cli.following import Asked


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    offsets: Annotated[list[str] | None, typer.Option(help="PARTITION:FIRST-LAST of wiki.raw, both included.")] = None,
    since: Annotated[str | None, typer.Option(help="Records from this time on, such as 2026-11-23T10:15:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="And before this time; without it up to now.")] = None,
    event: Annotated[
        list[str] | None, typer.Option("--id", help="The record of this event, by meta.id: a document's id as well.")
    ] = None,
    resend: Annotated[
        bool, typer.Option("--resend", help="Tell the index of unchanged rows as well: it becomes what gold is.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Change it; otherwise it says what would change.")] = False,
    wait: Annotated[bool, typer.Option(help="Follow the run to its end, or return once it is asked for.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Apply the transforms of today to raw records of before: silver, gold and the index follow."""
    settings = running.running_settings()
    asked = {"offsets": offsets, "since": since, "until": until, "event_ids": event}
    given: dict[str, Any] = {name: value for name, value in asked.items() if value}
    plan = plan_replay(settings, request(**given))
    _say(plan, apply)
    run = Asked("replay_offsets", {**given, "resend": resend, "dry_run": not apply}, "replay", len(plan.chunks))
    if (report := following.ask(settings, run, wait=wait)) is None:
        return
    if as_json:
        console.emit(report)
    else:
        _show(report)


def _say(plan: Plan, apply: bool) -> None:
    for note in plan.notes:
        console.say(note)
    parts = "1 part" if len(plan.chunks) == 1 else f"{len(plan.chunks)} parts"
    how = "replaying" if apply else "comparing (nothing is changed without --apply)"
    console.say(f"{how} {plan.records:,} records in {parts}")


def _show(report: Mapping[str, Any]) -> None:
    total = report["total"]
    for layer, actions in total.get("layers", {}).items():
        words = ", ".join(f"{count:,} {action}" for action, count in actions.items())
        console.out.print(f"{layer}: {words}", markup=False)
    said = ("rows", "missing", "duplicates", "republished", "removed", "seconds")
    console.out.print(", ".join(f"{name} {total[name]:,}" for name in said if name in total), markup=False)
    for part in report["parts"].values():
        for example in part.get("examples", ()):
            console.out.print(f"[bold]{example['action']}[/] {example['doc_id']}")
            for side in ("before", "after"):
                console.out.print(escape(console.visible(f"  {side}: {example[side]}")), soft_wrap=True)
