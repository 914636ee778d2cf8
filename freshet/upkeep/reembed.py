"""Fills missing vectors, moves to another model, drops one: `python -m freshet.upkeep.reembed move --model NAME`.

Without `--apply` it only says what it would do. It may be killed and run again at any moment. The last line of standard
output is one JSON object.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, get_args

from freshet.errors import FreshetError, PermanentError
from freshet.settings import Settings, load_settings
from freshet.store.missing import Span
from freshet.telemetry import logs
from freshet.upkeep import reembed_steps as steps
from freshet.upkeep.moves import CHUNK_TEXTS, LEAST_RECALL, Action, Asked, Step
from freshet.upkeep.reembed_plan import plan

NICENESS: Final = 10
"""What is live goes first."""

STEPS: Final[dict[Step, Callable[[Settings, Asked], steps.Report]]] = {
    "index": steps.index,
    "compare": steps.compare,
    "switch": steps.switch,
    "drop": steps.drop,
}


def run(settings: Settings, asked: Asked) -> dict[str, Any]:
    """Everything that is asked for, one step after another. Returns their reports by name.

    Raises PermanentError when a new model is not good enough to be switched to.
    """
    planned = plan(settings, asked)
    parts = {"plan": planned.report}
    for number, hashes in enumerate(planned.chunks, start=1):
        parts[f"embed {number}"] = steps.embed(settings, asked, hashes)
    for step in asked.steps:
        if step in STEPS:
            parts[step] = STEPS[step](settings, asked)
            if faults := parts[step].get("faults"):
                raise PermanentError(f"the model {asked.model} is not switched to: {', '.join(faults)}")
    if asked.apply:
        steps.finish(settings, asked)
    return parts


def arguments(given: Sequence[str] | None = None) -> Asked:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m freshet.upkeep.reembed", description=__doc__)
    parser.add_argument("action", choices=get_args(Action))
    parser.add_argument("--model", default="", help="a built-in model or a folder's name; fill: the active one")
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--apply", action="store_true", help="do it")
    doing.add_argument("--dry-run", action="store_true", help="only say what would be done; the default")
    parser.add_argument("--chunk-texts", type=int, default=CHUNK_TEXTS, help="texts of a part")
    parser.add_argument("--least-recall", type=float, default=LEAST_RECALL, help="of the new index, 0 to 1")
    parser.add_argument("--least-overlap", type=float, default=0.0, help="of both models' neighbours, 0 to 1")
    parser.add_argument("--no-switch", action="store_true", help="only have the model ready")
    parser.add_argument("--since", type=datetime.fromisoformat, help="fill: of edits from this time on")
    parser.add_argument("--until", type=datetime.fromisoformat, help="fill: and before this time")
    asked = parser.parse_args(given)
    return Asked(
        asked.action, asked.model, asked.apply, asked.chunk_texts, asked.least_recall, asked.least_overlap,
        not asked.no_switch, Span(asked.since, asked.until),
    )  # fmt: skip


def main() -> None:
    """Do it, and print the reports."""
    asked = arguments()
    os.nice(NICENESS)
    settings = load_settings()
    logs.configure("reembed", settings.log_level)
    sys.stdout.write(json.dumps(run(settings, asked)) + "\n")


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        sys.exit(f"error: {error}")
