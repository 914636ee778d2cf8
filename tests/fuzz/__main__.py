"""`python -m tests.fuzz`: read damaged events; none may crash a reader, be lost, or be rejected without a reason."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from freshet.errors import FreshetError
from freshet.settings import load_settings
from local.cli import console
from tests.fuzz.run import run


def main(
    events: Annotated[int, typer.Option(min=1, help="Damaged events for the parser in Python.")] = 1_000_000,
    spark_events: Annotated[int, typer.Option(min=1, help="Damaged events for the transforms.")] = 200_000,
    guided: Annotated[int, typer.Option(min=1, help="Runs of the fuzzer that is guided by coverage.")] = 200_000,
    seed: Annotated[int, typer.Option(help="How they are damaged: the same seed gives the same ones.")] = 1,
    recording: Annotated[Path | None, typer.Option(help="NDJSON file of real events; else simulated ones.")] = None,
) -> None:
    """Damage events and have everything read them. Ends with a JSON object of what became of them."""
    source = {"source": "recording", "recording": recording} if recording else {"source": "simulated"}
    try:
        found = run(load_settings(**source), events, spark_events, guided, seed, console.say)
    except FreshetError as error:
        console.fail(error)
        sys.exit(1)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
