"""The `freshet` command."""

import signal
import sys

import typer

from freshet.errors import ConfigError, FreshetError
from local.cli import (
    backfill,
    backup,
    benchmarks,
    checks,
    console,
    context,
    demo,
    deployment,
    embeddings,
    forget,
    keys,
    mending,
    questions,
    reliability,
    stack,
    upkeep,
)

app = typer.Typer(
    name="freshet",
    help="Every Wikimedia edit, searchable by meaning within a second, and answered with links to the exact edits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    demo, stack, questions, checks, upkeep, backfill, context, embeddings, forget, backup, mending, keys,
    deployment, reliability,
)  # fmt: skip
for module in COMMANDS:
    module.register(app)
app.add_typer(benchmarks.app, name="bench")


def main() -> None:
    """Run the command; an error of ours is one message and an exit code, not a traceback.

    SIGTERM ends it as Ctrl-C does: what it started, it ends.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except ConfigError as error:
        console.fail(error)
        sys.exit(2)
    except FreshetError as error:
        console.fail(error)
        sys.exit(1)
