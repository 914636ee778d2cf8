"""From what was seen to one verdict. Pure.

A stream that is quiet is told from one that is stuck by what waits, as the freshness checks do: where nothing waits the
newest document may be old, because few edits become documents.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from api.models.pipeline import ProcessOut, VerdictOut
from api.pipeline.log import LogNow
from freshet.offsets import age
from freshet.settings import Settings
from freshet.upkeep.observations import Owed

FRESH_SHARE: Final = 1 / 6
"""Up to this share of the threshold nobody calls it late: with the default ten seconds."""

WORST_FIRST: Final = ("unknown", "stopped", "stale", "late")
CALLED: Final = {"producer": "the producer", "serve": "the serve query", "indexer": "the indexer"}


@dataclass(frozen=True)
class Seen:
    """All that is judged. `log` and `newest_at` are the reason where that cannot be asked; no document is None."""

    now: datetime
    log: LogNow | str
    newest_at: datetime | str | None
    processes: Sequence[ProcessOut]


@dataclass(frozen=True)
class Fault:
    """A stage that is broken, how badly, and since when."""

    state: Literal["unknown", "stopped", "stale", "late"]
    since: datetime | None
    because: str
    action: str


def judge(seen: Seen, settings: Settings) -> VerdictOut:
    """The state of the whole is that of its worst fault, and the first one as bad explains it."""
    faults = list(_faults(seen, settings))
    worst = min(faults, key=lambda fault: WORST_FIRST.index(fault.state), default=None)
    if seen.newest_at is None and not (worst and worst.state == "unknown"):
        return _empty(faults)
    if worst is None:
        since = None if isinstance(seen.newest_at, str) else seen.newest_at
        return VerdictOut(state="fresh", since=since, because=None, action=None)
    return VerdictOut(state=worst.state, since=worst.since, because=worst.because, action=worst.action)


def _empty(faults: Sequence[Fault]) -> VerdictOut:
    because, action = "no edit has become searchable yet", "the first ones are on their way"
    if faults:
        because, action = faults[0].because, faults[0].action
    return VerdictOut(state="empty", since=None, because=because, action=action)


def _faults(seen: Seen, settings: Settings) -> Iterator[Fault]:
    """What is broken, in the order in which data moves."""
    log = seen.log
    yield from _away(seen, "producer")
    if isinstance(log, str):
        yield _unasked(seen, "kafka", log)
    else:
        yield from _silence(log, seen.now, settings.sla_source_silence_s)
    yield from _away(seen, "serve")
    if not isinstance(log, str):
        yield from _waiting(seen, log, log.unserved, ("raw", "serve"), settings.sla_searchable_age_s)
        yield from _without_documents(log, settings.sla_gold_age_s, settings.sla_source_silence_s)
    yield from _away(seen, "indexer")
    if not isinstance(log, str):
        yield from _waiting(seen, log, log.unindexed, ("gold", "indexer"), settings.sla_searchable_age_s)
    if isinstance(seen.newest_at, str):
        yield _unasked(seen, "postgres", seen.newest_at)


def _away(seen: Seen, name: str) -> Iterator[Fault]:
    process = _find(seen, name)
    if process and process.state == "away":
        yield Fault("stopped", process.since, f"{CALLED[name]} does not answer", _started_again(name))


def _unasked(seen: Seen, name: str, because: str) -> Fault:
    process = _find(seen, name)
    since = process.since if process and process.state != "ready" else None
    return Fault("unknown", since, because, _started_again(name))


def _silence(log: LogNow, now: datetime, most_s: float) -> Iterator[Fault]:
    action = "the producer connects again by itself; see `freshet logs producer`"
    if log.heard_at is None:
        yield Fault("stopped", None, "no edit was ever received, or none is kept in the log", action)
    elif (silent_s := age(log.heard_at, now)) > most_s:
        yield Fault("stopped", log.heard_at, f"no edit was received for {silent_s:,.0f} s", action)


def _waiting(seen: Seen, log: LogNow, owed: Owed, stage: tuple[str, str], most_s: float) -> Iterator[Fault]:
    """The oldest is as old as it was when it was looked for: it may be done by now."""
    layer, reader = stage
    waited_s = age(owed.oldest_at, log.at) if owed.records and owed.oldest_at else 0.0
    if waited_s <= most_s * FRESH_SHARE:
        return
    process = _find(seen, reader)
    unready = ", which is not ready" if process and process.state == "not ready" else ""
    records = f"{owed.records:,} {layer} record{'s wait' if owed.records > 1 else ' waits'}"
    because = f"{records} for {CALLED[reader]}{unready}, the oldest {waited_s:,.0f} s"
    if waited_s > most_s:
        yield Fault("stale", owed.oldest_at, because, f"see `freshet status` and `freshet logs {reader}`")
    else:
        action = f"{CALLED[reader]} works through them; if they grow more, see `freshet logs {reader}`"
        yield Fault("late", owed.oldest_at, because, action)


def _without_documents(log: LogNow, most_s: float, silence_s: float) -> Iterator[Fault]:
    """Silver goes on without any document. Both are of one query, so what it owes says nothing of it."""
    if log.silver_at is None or log.gold_at is None or age(log.silver_at, log.at) > silence_s:
        return
    behind_s = age(log.gold_at, log.silver_at)
    if behind_s > most_s:
        because = f"no document was made of the edits of the last {behind_s:,.0f} s"
        yield Fault("stale", log.gold_at, because, "see `freshet logs serve`, and which edits the settings let in")


def _started_again(name: str) -> str:
    return f"whatever supervises it starts it again; see `freshet status` and `freshet logs {name}`"


def _find(seen: Seen, name: str) -> ProcessOut | None:
    return next((process for process in seen.processes if process.name == name), None)
