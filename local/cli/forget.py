"""`freshet forget`: removes a page, a user or an event from every store."""

from typing import Annotated, Any, Final

import typer

from freshet.contract.removals import Kind
from freshet.errors import ConfigError, TransientError
from freshet.lake import LAYERS
from freshet.settings import Settings
from freshet.upkeep import forget as work
from local import running
from local.cli import console, following

_WORDS: Final = {Kind.PAGE: "this page", Kind.USER: "this user", Kind.EVENT: "this event"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(forget)


def forget(
    page: Annotated[str | None, typer.Option(help="WIKI:TITLE, such as enwiki:Talk:Snow.")] = None,
    user: Annotated[str | None, typer.Option(help="[WIKI:]NAME; without a wiki on all of them.")] = None,
    event: Annotated[str | None, typer.Option(help="The id of an event, which is its document's.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise it is only counted.")] = False,
    wait: Annotated[bool, typer.Option(help="Follow the run to its end, or return once it is asked for.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Remove what is kept of a page, a user or an event up to now: index, answers and every table of the lake."""
    removal = work.asked(page, user, event)
    settings = running.running_settings()
    index = work.in_index(settings, removal, apply=apply)
    console.say(
        f"{_WORDS[removal.kind]}: {index['documents']:,} documents and {index['answers']:,} answers"
        f" {'removed' if apply else 'would be removed (nothing is changed without --apply)'}"
    )
    run = _lake(settings, work.spark_targets(removal), apply=apply, wait=wait)
    report = {
        "applied": apply,
        "kind": removal.kind,
        "index": index,
        "lake": run and {layer: run["total"]["rows"][layer] for layer in LAYERS},
        "log_keeps_hours": settings.kafka_retention_hours,
        "lake_files_keep_hours": settings.compact_keep_hours,
    }
    if as_json:
        console.emit(report)
    else:
        _show(report)


def _lake(settings: Settings, targets: list[str], *, apply: bool, wait: bool) -> dict[str, Any] | None:
    """The report of the run that searches the lake. It is told hashes: Airflow keeps what it is told."""
    conf = {"targets": [] if apply else targets, "dry_run": not apply}
    try:
        return following.ask(settings, following.Asked(work.DAG, conf, "lake", 1), wait=wait)
    except (ConfigError, TransientError) as error:
        if not apply:
            raise
        later = "the index is done; the lake follows with the next run of the DAG forget"
        raise TransientError(f"{later}, or with `python -m spark_jobs.forget --apply`: {error}") from error


def _show(report: dict[str, Any]) -> None:
    if report["lake"] is not None:
        words = ", ".join(f"{layer} {count:,}" for layer, count in report["lake"].items())
        console.out.print(f"rows of the lake: {words}", soft_wrap=True)
    console.out.print(
        f"The log keeps its records for {report['log_keeps_hours']} h, the lake its old files for"
        f" {report['lake_files_keep_hours']} h; backups keep what they have.",
        soft_wrap=True,
    )
