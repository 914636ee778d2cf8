"""Reads history again: `python -m producer.backfill --since 2026-11-23T10:00:00Z --until 2026-11-23T11:00:00Z`.

A time of the event stream, or archives (NDJSON, plain or gzipped), goes into the log as the live stream does, with
`backfill` as its source. It is slow on purpose, and waits while the indexer is behind. Killed and started again it goes
on; once done it sends nothing. The last line of standard output is the report.

Ends with 0 when all is read, with 1 when it cannot go on or was asked to stop before, with 2 when a setting is wrong.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freshet.errors import ConfigError, FreshetError
from freshet.settings import Settings, load_settings
from freshet.telemetry import logs
from freshet.upkeep import reports
from freshet.upkeep.history import History, history
from producer.archive import Archive
from producer.fill import KINDS, Limits, fill, look
from producer.past import Past
from producer.pump import Signals


def sources(settings: Settings, asked: History) -> list[Past | Archive]:
    """What is to be read, each found readable. Raises PermanentError."""
    if asked.interval and not asked.archives:
        return [Past(settings, asked.interval)]
    return [Archive(Path(path), asked) for path in asked.archives]


def run(settings: Settings, asked: History, limits: Limits, *, apply: bool) -> dict[str, Any]:
    """Fill, or say what would be read. Returns the report.

    Raises PermanentError when something cannot be read or sent, TransientError when there is no broker.
    """
    readable = sources(settings, asked)
    if not apply:
        found = [look(settings, source) for source in readable]
    else:
        signals = Signals()
        found = []
        for source in readable:
            if not signals.asked:
                found.append(fill(settings, source, limits, signals))
    total: dict[str, Any] = {}
    for report in found:
        total = reports.added(total, report)
    ends = [report for report in found if report.get("read")] or found[:1]
    return {
        "applied": apply,
        "asked": asked.arguments,
        **total,
        "from": ends[0]["from"] if ends else None,
        "to": ends[-1]["to"] if ends else None,
        **{flag: any(report[flag] for report in found) for flag in ("resumed", "nothing_more")},
        "done_before": all(report["done_before"] for report in found),
        "finished": len(found) == len(readable) and all(report["finished"] for report in found),
    }


def sentence(report: Mapping[str, Any]) -> str:
    """The report for people."""
    if report["done_before"]:
        return "all of it was sent before; --again sends it once more"
    if not report["applied"]:
        return " ".join(["would read", *report["asked"], *["from where it stopped before"] * report["resumed"]])
    counts = ", ".join(f"{kind} {report[kind]:,}" for kind in KINDS)
    took = f"in {report['seconds']:.0f} s, of which it waited {report['waited_seconds']:.0f} s"
    return (
        f"{counts} {took}; {'all is read' if report['finished'] else 'stopped before the end: run it again to go on'}"
    )


def main(given: Sequence[str] | None = None) -> int:
    """Fill what the arguments name, and print the report. Returns the exit code."""
    arguments = _parser().parse_args(given)
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logger = logs.configure("backfill", settings.log_level)
    try:
        asked = history(arguments.since, arguments.until, arguments.archive or (), datetime.now(UTC))
        limits = Limits(arguments.rate or settings.backfill_rate, again=arguments.again)
        report = run(settings, asked, limits, apply=not arguments.dry_run)
        if arguments.run_id:
            reports.keep(settings, arguments.dag_id, arguments.run_id, asked.name, report)
    except FreshetError as error:
        logger.error("end", error=str(error))
        return 1
    sys.stdout.write((json.dumps(report) if arguments.json else sentence(report)) + "\n")
    return 0 if report["finished"] or arguments.dry_run else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m producer.backfill", description=__doc__.split("\n")[0])
    parser.add_argument("--since", help="from this time on, ISO 8601 with a zone")
    parser.add_argument("--until", help="and before this one; without it, of the stream, before now")
    parser.add_argument("--archive", action="append", metavar="FILE", help="NDJSON file instead of the stream")
    parser.add_argument("--rate", type=_rate, help="most events a second; without it FRESHET_BACKFILL_RATE")
    parser.add_argument("--again", action="store_true", help="from the beginning, also what was sent before")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be read")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    parser.add_argument("--run-id", default="", help="keep the report in Postgres under this run")
    parser.add_argument("--dag-id", default="backfill", help="and under this DAG; default: backfill")
    return parser


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return rate


if __name__ == "__main__":
    sys.exit(main())
