"""Fills missing vectors, moves to another model, drops one: `python -m freshet.upkeep.reembed move --model NAME`.

Without `--apply` it only says what it would do. It may be killed and run again at any moment. The last line of standard
output is one JSON object.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, get_args

from freshet.errors import FreshetError, PermanentError
from freshet.settings import Settings, load_settings
from freshet.store.missing import Span
from freshet.telemetry import logs
from freshet.upkeep import reembed_steps as steps
from freshet.upkeep import reports
from freshet.upkeep.moves import CHUNK_TEXTS, LEAST_RECALL, Action, Asked, Chunk, Name
from freshet.upkeep.reembed_plan import plan

NICENESS: Final = 10
"""What is live goes first."""

DAG: Final = "backfill_embeddings"

Numbered = tuple[int, Sequence[Any]]
"""The number of a chunk, and the chunk as JSON holds it."""

WHOLE: Final[dict[Name, Callable[[Settings, Asked], steps.Report]]] = {
    "index": steps.index,
    "compare": steps.compare,
    "switch": steps.switch,
    "drop": steps.drop,
}
"""The steps that are of one part."""


def run(settings: Settings, asked: Asked) -> dict[str, Any]:
    """Everything that is asked for, one step after another. Returns what `part` does of the report.

    Raises PermanentError when a new model is not good enough to be switched to.
    """
    run_id = f"by-hand-{datetime.now(UTC).isoformat()}"
    chunks = part(settings, asked, "plan", DAG, run_id)
    for name in asked.steps:
        for chunk in enumerate(chunks) if name == "embed" else (None,):
            part(settings, asked, name, DAG, run_id, chunk)
    ended: dict[str, Any] = part(settings, asked, "report", DAG, run_id)
    return ended


def part(settings: Settings, asked: Asked, name: Name, dag_id: str, run_id: str, chunk: Numbered | None = None) -> Any:
    """One part of a run; its report is kept.

    The plan returns the chunks, each of which is a part of `embed`; the report returns the reports of all
    `parts` and their `total`; every other part returns its own. Raises PermanentError when it cannot work, or a new
    model is not good enough to be switched to, and TransientError when trying again may help.
    """
    if name == "plan":
        planned = plan(settings, asked)
        reports.keep(settings, dag_id, run_id, name, planned.report)
        return [chunk.row() for chunk in planned.chunks]
    if name == "report":
        if asked.apply:
            steps.finish(settings, asked)
        return reports.collected(settings, dag_id, run_id)
    report = steps.embed(settings, asked, Chunk.of(chunk[1])) if chunk is not None else WHOLE[name](settings, asked)
    reports.keep(settings, dag_id, run_id, name if chunk is None else f"{name} {chunk[0]}", report)
    if faults := report.get("faults"):
        raise PermanentError(f"the model {asked.model} is not switched to: {', '.join(faults)}")
    return report


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
    parser.add_argument(
        "--since", type=datetime.fromisoformat, help="fill: of edits from this time on, such as 2026-11-23T10:15:00Z"
    )
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
        logs.end(error)
