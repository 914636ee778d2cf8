"""What a run that fills history has to do, by how it was started: looks for gaps, checks what was asked, cuts it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any, Final

from confluent_kafka import KafkaException

from freshet.errors import PermanentError, TransientError
from freshet.offsets import reason
from freshet.settings import Settings
from freshet.upkeep.gaps import Continuity, continuity
from freshet.upkeep.history import History, history
from freshet.upkeep.interval import Interval, written
from freshet.upkeep.measuring import observe
from freshet.upkeep.minutes import counted
from freshet.upkeep.observations import Owed
from freshet.upkeep.received import positions


@dataclass(frozen=True)
class Wanted:
    """What a run is to do: fill a history, or the gaps that it finds (None). Without `apply` it only says so."""

    history: History | None
    apply: bool
    rate: float | None = None
    again: bool = False


@dataclass(frozen=True)
class Plan:
    """The parts, and what they come to. `events` is None where nothing is known of how many there are."""

    parts: tuple[History, ...]
    apply: bool
    seen: Continuity
    rate: float
    again: bool
    seconds: float
    """How long it took to make."""

    @property
    def minutes(self) -> float | None:
        """How long the parts are; None of archives without a time."""
        lengths = [part.interval.minutes if part.interval else None for part in self.parts]
        return None if None in lengths else round(sum(filter(None, lengths)), 1)

    @property
    def events(self) -> int | None:
        """About how many events the stream has in these minutes, going by the usual minute of the lake."""
        of_stream = self.minutes is not None and not any(part.archives for part in self.parts)
        return round(self.seen.usual * (self.minutes or 0)) if of_stream and self.seen.usual else None

    def as_json(self) -> dict[str, Any]:
        """For people, and as a part of the run's report."""
        return {
            "applied": self.apply,
            "parts": len(self.parts),
            "minutes": self.minutes,
            "expected_events": self.events,
            "expected_seconds": None if self.events is None else round(self.events / self.rate),
            "usual_per_minute": self.seen.usual,
            "minutes_looked_at": self.seen.minutes,
            "gaps": [gap.as_json() for gap in self.seen.gaps],
            "note": self.seen.note,
            "seconds": self.seconds,
        }

    def commands(self, how: Sequence[str], dag_id: str, run_id: str) -> list[str]:
        """What fills each part: one line for a shell. `how` is what begins it."""
        options = ["--rate", f"{self.rate:g}", *["--again"] * self.again, *["--dry-run"] * (not self.apply), "--json"]
        kept = ["--dag-id", dag_id, "--run-id", run_id]
        return [shlex.join([*how, *part.arguments, *options, *kept]) for part in self.parts]


UNNOTED: Final = timedelta(seconds=5)
"""What a backfill that was killed sent after its last position, at most."""

ASKED: Final = ("since", "until", "archives")


def wanted(
    run_type: str,
    params: Mapping[str, Any],
    conf: Mapping[str, Any],
    interval: Interval | None,
    now: datetime,
    *,
    fills_gaps: bool,
) -> Wanted:
    """What a run of the DAG is to do. By schedule it looks for gaps; as part of a backfill over dates it fills its own
    interval; asked for by somebody it does what the parameters say, dry unless they say otherwise.

    `conf` are the parameters that were given, `params` all of them. Raises PermanentError when they contradict.
    """
    limits: dict[str, Any] = {"rate": params.get("rate"), "again": bool(params.get("again"))}
    if run_type == "scheduled":
        return Wanted(None, apply=fills_gaps, **limits)
    given = [name for name in ASKED if params.get(name)]
    if run_type == "backfill":
        if given or params.get("gaps"):
            raise PermanentError(
                "a backfill over dates fills the interval of each run: it takes neither times nor gaps"
            )
        if interval is None:
            raise PermanentError("this run has no interval to fill")
        asked = history(written(interval.since), written(interval.until), (), now)
        return Wanted(asked, apply=not conf.get("dry_run", False), **limits)
    apply = not params["dry_run"]
    if params.get("gaps"):
        if given:
            raise PermanentError(f"either gaps or {', '.join(given)}: gaps are looked for in all that the lake has")
        return Wanted(None, apply=apply, **limits)
    return Wanted(history(params.get("since"), params.get("until"), params.get("archives") or (), now), apply, **limits)


def plan(settings: Settings, asked: Wanted, now: datetime) -> Plan:
    """The parts of what is wanted.

    Raises PermanentError when there is no such archive, TransientError when the lake, or for gaps Kafka, is away.
    """
    began = perf_counter()
    if asked.history is None:
        check_settled(settings)
    seen = continuity(counted(settings, now), settings.gap_share)
    if asked.history is None:
        parts = [part for gap in seen.gaps for part in History(*gap.interval).parts()]
    else:
        parts = list(asked.history.parts())
    if missing := [path for part in parts for path in part.archives if not Path(path).is_file()]:
        raise PermanentError(f"there is no archive {', '.join(missing)} on this machine")
    rate = asked.rate or settings.backfill_rate
    return Plan(tuple(parts), asked.apply, seen, rate, asked.again, round(perf_counter() - began, 3))


def check_settled(settings: Settings) -> None:
    """Raises TransientError while the lake still has to take in what a backfill sent: it would be taken for a gap."""
    seen = observe(settings).log
    if isinstance(seen, str):
        raise TransientError(seen)
    try:
        sent_at = positions(settings, monotonic() + settings.sla_timeout_s).backfilled_at
    except (KafkaException, TimeoutError) as error:
        raise TransientError(f"Kafka does not answer: {reason(error, settings.sla_timeout_s)}") from error
    if is_owed(seen.unlaked, sent_at):
        raise TransientError("the lake has not taken in yet what a backfill sent: look for gaps again in a minute")


def is_owed(unlaked: Owed | None, sent_at: datetime | None) -> bool:
    """Whether records that the lake has not taken in may be of the backfill that noted its position last at a time."""
    oldest = unlaked.oldest_at if unlaked and unlaked.records else None
    return bool(oldest and sent_at and oldest <= sent_at + UNNOTED)


def remarks(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What to say of the parts of a report: those not filled yet with the command that does it, those that were filled
    before, and those of which there was nothing."""
    said = []
    for report in parts.values():
        name = shlex.join(report.get("asked", ()))
        if not name:
            continue  # the plan
        if report["done_before"]:
            said.append(f"filled before: {name}")
        elif not report["applied"]:
            said.append(f"not filled; this fills it: freshet backfill {name} --apply")
        elif not report["read"] and not report["resumed"]:
            said.append(f"nothing is there to be read: {name}")
    return said
