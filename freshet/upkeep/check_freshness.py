"""Checks how fresh every layer is, keeps what it found and alerts: `python -m freshet.upkeep.check_freshness`.

Prints its report as JSON and ends with 1 while anything is in breach.
"""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from typing import Any

import psycopg

from freshet.errors import FreshetError
from freshet.settings import Settings, load_settings
from freshet.store import sla as store
from freshet.store.sla import Breach, Check
from freshet.telemetry import logs
from freshet.upkeep import alerts, ledger, sla
from freshet.upkeep.breaches import Step, step
from freshet.upkeep.ledger import Left
from freshet.upkeep.measuring import observe


def run(settings: Settings) -> dict[str, Any]:
    """One check of everything. Returns a report that JSON can hold; nothing that is away makes it raise.

    `state` is ok or breach; `checks` are all; `breaches` those that last; `begun` and `ended` name what has changed;
    `kept` and `alerts` say ok or why not.
    """
    began = perf_counter()
    seen = observe(settings)
    found = sla.checks(seen, settings)
    made, outcomes, kept = _follow(settings, found, seen.at)
    return {
        "checked_at": seen.at.isoformat(),
        "state": "breach" if made.lasting else "ok",
        "checks": [vars(check) for check in found],
        "breaches": [{"name": one.name, "since": one.begun_at.isoformat()} for one in made.lasting],
        "begun": [one.name for one in made.begun],
        "ended": [one.name for one in made.ended],
        "alerts": outcomes,
        "kept": kept,
        "seconds": round(perf_counter() - began, 3),
    }


def _follow(settings: Settings, found: Sequence[Check], now: datetime) -> tuple[Step, dict[str, str], str]:
    """Begin, end and tell breaches, and keep them; in the file alone when Postgres is away."""
    file = settings.state_dir / "upkeep" / "breaches.json"
    left = ledger.read(file)
    try:
        with store.connect(settings.conninfo, settings.sla_timeout_s) as connection, store.alone(connection):
            known = store.breaches(connection, now - alerts.HOLD)
            made, told, outcomes = _tell(ledger.merge(known, left.unkept), found, settings, now)
            ledger.write(file, Left(told, kept=False))
            store.keep(connection, now, found, told)
            ledger.write(file, Left(told, kept=True))
            return made, outcomes, "ok"
    except (psycopg.Error, FreshetError) as error:
        logs.get().warning("the checks cannot be kept", error=str(error))
        # what was told before Postgres went away in the middle is in the file by now
        made, told, outcomes = _tell(ledger.read(file).breaches, found, settings, now)
        ledger.write(file, Left(told, kept=False))
        return made, outcomes, f"only in {file}: {error}"


def _tell(
    known: Sequence[Breach], found: Sequence[Check], settings: Settings, now: datetime
) -> tuple[Step, list[Breach], dict[str, str]]:
    made = step(known, found, now)
    alerts.log(made)
    told, outcomes = alerts.tell(made.all, settings, now)
    return made, told, outcomes


def main() -> int:
    """Check, and print the report."""
    settings = load_settings()
    logs.configure("check-freshness", settings.log_level)
    report = run(settings)
    sys.stdout.write(json.dumps(report) + "\n")
    return 1 if report["state"] == "breach" else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FreshetError as error:
        logs.end(error)
