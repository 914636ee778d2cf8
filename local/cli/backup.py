"""`freshet backup` and `freshet restore`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from freshet.settings import load_settings
from local import running
from local.cli import console

Folder = Annotated[Path, typer.Argument(file_okay=False, help="Folder of the backup.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    folder: Folder,
    check: Annotated[bool, typer.Option("--check", help="Only check that a backup is whole, byte for byte.")] = False,
    lake: Annotated[bool, typer.Option("--lake/--no-lake", help="With the Delta tables, or without.")] = True,
    as_json: Json = False,
) -> None:
    """Keep the store, the lake and the end of the log in a new folder, while everything runs."""
    from local.backup.folder import verified
    from local.backup.making import backup as make_backup

    folder = folder.absolute()
    made = (
        verified(folder) if check else make_backup(running.running_settings(), folder, with_lake=lake, say=console.say)
    )
    if as_json:
        console.emit(made.summary())
    else:
        console.say(f"{'whole' if check else 'made'}: {_words(made.summary())}")


def restore(
    folder: Folder,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise it says what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Check a backup and the place that the settings name, which must be empty, and restore it there."""
    from local.backup.restoring import restore as restore_backup

    settings = load_settings()
    report = restore_backup(settings, folder.absolute(), apply=apply, say=console.say)
    if as_json:
        console.emit(report)
        return
    console.out.print(f"backup: {_words(report['backup'])}", markup=False, soft_wrap=True)
    console.out.print(f"made {report['age_seconds'] / 3600:.1f} hours ago by Freshet {report['backup']['freshet']}")
    console.out.print(f"into {settings.state_dir}: the log there is {report['log']}", markup=False, soft_wrap=True)
    if not apply:
        console.say("nothing is changed without --apply")
    else:
        console.say(f"restored within {report['seconds']:.0f} s; `freshet up` goes on from it")


def _words(summary: Mapping[str, Any]) -> str:
    tables = ", ".join(f"{layer} {version}" for layer, version in summary["lake"].items())
    return (
        f"{summary['documents']:,} documents, {f'the lake at versions {tables}' if tables else 'no lake'}, "
        f"{summary['files']:,} files, {summary['bytes'] / 1e6:,.1f} MB, made at {summary['made_at']}"
    )
