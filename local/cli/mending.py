"""`freshet mend`: what of the lake is damaged, and going on without it."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from freshet.errors import PermanentError
from freshet.upkeep import checkpoints, damage
from local import running
from local.backup.lake import folder_of
from local.cli import console
from local.supervisor import Supervisor


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(mend)


def mend(
    apply: Annotated[bool, typer.Option("--apply", help="Put it aside; otherwise it is only named.")] = False,
) -> None:
    """Name the damaged files of the lake and, if asked to, put them aside: the log's records are inserted again."""
    settings = running.running_settings()
    root = folder_of(settings)
    damaged = damage.found(root)
    torn = [path for query in ("serve", "lake") for path in checkpoints.torn(root / "checkpoints" / query)]
    for one in damaged:
        console.say(str(one))
    for path in torn:
        console.say(f"{path} is cut off: the next start puts it aside and goes on behind the last whole batch")
    if not damaged:
        console.say(f"no table in {root} is damaged")
        return
    if not apply:
        console.say(damage.WAY_BACK)
        raise typer.Exit(1)
    if Supervisor(settings).is_up():
        raise PermanentError("the stack runs: `freshet down` first")
    for path in damage.put_aside(root, damaged, datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")):
        console.say(f"put aside: {path}")
    console.say("after `freshet up` the lake query inserts again what the log still has; then `freshet audit`")
