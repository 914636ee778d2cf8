"""`freshet doctor` and `freshet audit`."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from freshet.settings import load_settings
from local import doctor as examination
from local import running
from local.audit import audit as balance_books
from local.cli import console


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(doctor)
    app.command()(audit)


def doctor(
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Check what is kept instead: whether this code can go on from it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check what this machine has, and say what to do about what it lacks."""
    if upgrade:
        from local import upgrade as kept

        findings = list(kept.examine(running.running_settings()))
    else:
        findings = list(examination.examine(load_settings()))
    if as_json:
        console.emit({finding.check: {"well": finding.well, "seen": finding.seen} for finding in findings})
    else:
        for finding in findings:
            mark = "[green]ok[/]" if finding.well else "[bold red]no[/]"
            console.out.print(f"{mark}  {finding.check}: {escape(finding.seen)}", soft_wrap=True)
            if not finding.well:
                console.out.print(f"      {escape(finding.advice)}", soft_wrap=True)
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


def audit(
    wait: Annotated[float, typer.Option(min=0, help="Longest time without progress to wait for a stage, s.")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Balance the books: every event served is in bronze, silver or rejected, gold and the index, exactly once."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console.err, transient=True) as progress:
        task = progress.add_task("reading the log")
        settings = running.running_settings()
        report = balance_books(settings, wait, lambda words: progress.update(task, description=words))
    if as_json:
        console.emit(report.as_json())
    else:
        for name, count in report.counts.items():
            console.out.print(f"{count:>10,}  {name}")
        for imbalance in report.imbalances:
            console.out.print(f"[bold red]imbalance[/] {escape(str(imbalance))}", soft_wrap=True)
        console.out.print("[green]balanced[/]" if report.balanced else "[bold red]NOT balanced[/]")
    raise typer.Exit(0 if report.balanced else 1)
