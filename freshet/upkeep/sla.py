"""From what was measured to what is a breach. Pure.

A stream that is quiet is told from one that is stuck by what is owed: the records that a reader has still to do, and
the age of the oldest of them. Where nothing is owed nothing grows older, however long nothing comes.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from freshet.offsets import age
from freshet.settings import Settings
from freshet.store.sla import Check, State
from freshet.upkeep.observations import LakeSeen, LogSeen, Observations, Owed

DEPENDENCIES: Final = ("kafka", "postgres", "lake")
"""Checks of what must answer for the others to be measured. Of these, unknown is a breach."""


def checks(seen: Observations, settings: Settings) -> list[Check]:
    """Every check, always the same ones and in the same order."""
    return [
        _dependency("kafka", seen.log),
        _dependency("postgres", seen.store),
        _dependency("lake", seen.lake),
        *_of_log(seen, settings),
        _searchable(seen, settings),
        *_of_store(seen, settings),
        *_of_lake(seen, settings),
    ]


def is_breach(check: Check) -> bool:
    """Whether somebody should be told. What cannot be measured is told once, of the dependency."""
    return check.state == "breach" or (check.state == "unknown" and check.name in DEPENDENCIES)


def is_open(check: Check) -> bool:
    """Whether nothing can be said of it: a breach of it neither begins nor ends."""
    return check.state == "unknown" and check.name not in DEPENDENCIES


def _dependency(name: str, seen: object) -> Check:
    if isinstance(seen, str):
        return Check(name, "unknown", None, "", None, seen)
    return Check(name, "ok", None, "", None, "answers")


def _of_log(seen: Observations, settings: Settings) -> Iterator[Check]:
    silence, lag_records, lag_s = settings.sla_source_silence_s, settings.sla_lag_records, settings.sla_lag_s
    log = seen.log
    if isinstance(log, str):
        yield _unknown("source_silence", "s", silence, log)
        yield _unknown("silver_age", "s", settings.sla_silver_age_s, log)
        yield _unknown("gold_age", "s", settings.sla_gold_age_s, log)
        yield _unknown("rejected_share", "share", settings.sla_rejected_share, log)
        yield _unknown("indexer_lag_records", "records", lag_records, log)
        yield _unknown("indexer_lag", "s", lag_s, log)
        return
    quiet = _quiet(log, seen.at, settings)
    yield _silence(log, seen.at, silence)
    detail = f"{_owed(log.unserved, 'raw', 'the serve query')}; the newest silver {_since(log.silver_at, seen.at)}"
    yield _judged("silver_age", _age(log.unserved, seen.at), "s", settings.sla_silver_age_s, detail, quiet)
    yield _gold(log, seen.at, settings.sla_gold_age_s, quiet)
    yield _rejected(log, settings)
    detail = _owed(log.unindexed, "gold", "the indexer")
    yield _judged("indexer_lag_records", log.unindexed.records, "records", lag_records, detail, quiet)
    yield _judged("indexer_lag", _age(log.unindexed, seen.at), "s", lag_s, detail, quiet)


def _silence(log: LogSeen, now: datetime, threshold: float) -> Check:
    if log.raw_at is None:
        return Check("source_silence", "breach", None, "s", threshold, "nothing was ever received, or nothing is kept")
    return _judged("source_silence", age(log.raw_at, now), "s", threshold, f"the newest raw {_since(log.raw_at, now)}")


def _gold(log: LogSeen, now: datetime, threshold: float, quiet: bool) -> Check:
    """How long silver has gone on without a document. Both are of one query, so what it owes is told of silver."""
    behind = age(log.gold_at, log.silver_at) if log.gold_at and log.silver_at else None
    if behind is None and log.silver_at is not None:
        return Check("gold_age", "quiet" if quiet else "breach", None, "s", threshold, "silver has records, gold none")
    detail = f"the newest gold {_since(log.gold_at, now)}, the newest silver {_since(log.silver_at, now)}"
    return _judged("gold_age", behind or 0.0, "s", threshold, detail, quiet, speaks=not quiet)


def _rejected(log: LogSeen, settings: Settings) -> Check:
    window = f"in {settings.sla_rejected_window_s:g} s: {log.received} raw, {log.rejected} rejected"
    total = max(log.received, log.rejected)
    share = round(log.rejected / total, 4) if total else 0.0
    few = total < settings.sla_rejected_least
    return _judged("rejected_share", share, "share", settings.sla_rejected_share, window, few, speaks=not few)


def _searchable(seen: Observations, settings: Settings) -> Check:
    """The age of the oldest edit that was received and cannot be found: it is with the serve query or the indexer."""
    name, threshold = "searchable_age", settings.sla_searchable_age_s
    if isinstance(seen.log, str):
        return _unknown(name, "s", threshold, seen.log)
    if isinstance(seen.store, str):
        return _unknown(name, "s", threshold, seen.store)
    worst = max(_age(seen.log.unserved, seen.at), _age(seen.log.unindexed, seen.at))
    detail = f"the newest document {_since(seen.store.searchable_at, seen.at)}"
    return _judged(name, worst, "s", threshold, detail, _quiet(seen.log, seen.at, settings))


def _of_store(seen: Observations, settings: Settings) -> Iterator[Check]:
    most, longest = settings.sla_pending_embeddings, settings.sla_pending_age_s
    store = seen.store
    if isinstance(store, str):
        yield _unknown("pending_embeddings", "texts", most, store)
        yield _unknown("pending_age", "s", longest, store)
        return
    detail = f"{store.pending} texts are found by words only"
    yield _judged("pending_embeddings", store.pending, "texts", most, detail)
    waited = age(store.pending_since, seen.at) if store.pending_since else 0.0
    yield _judged("pending_age", waited, "s", longest, detail)


def _of_lake(seen: Observations, settings: Settings) -> Iterator[Check]:
    longest, hours = settings.sla_lake_age_s, settings.sla_compaction_hours
    if isinstance(seen.lake, str):
        yield _unknown("lake_age", "s", longest, seen.lake)
        yield _unknown("compaction_age", "hours", hours, seen.lake)
        return
    yield _laked(seen, seen.lake, settings)
    small, since = seen.lake.small_files, seen.lake.small_since
    waited = round(age(since, seen.at) / 3600, 3) if since else 0.0
    yield _judged("compaction_age", waited, "hours", hours, f"{small} small files of gold could be put together")


def _laked(seen: Observations, lake: LakeSeen, settings: Settings) -> Check:
    name, threshold = "lake_age", settings.sla_lake_age_s
    if isinstance(seen.log, str):
        return _unknown(name, "s", threshold, seen.log)
    owed = seen.log.unlaked or Owed()
    detail = f"{_owed(owed, 'raw', 'the lake')}; the newest commit {_since(lake.committed_at, seen.at)}"
    return _judged(name, _age(owed, seen.at), "s", threshold, detail, _quiet(seen.log, seen.at, settings))


def _quiet(log: LogSeen, now: datetime, settings: Settings) -> bool:
    return log.raw_at is None or age(log.raw_at, now) > settings.sla_source_silence_s


def _judged(
    name: str, value: float, unit: str, threshold: float, detail: str, quiet: bool = False, *, speaks: bool = True
) -> Check:
    """A breach when it is above its threshold. What does not speak is never one; quiet is where nothing is owed."""
    calm: State = "quiet" if quiet and (value == 0 or not speaks) else "ok"
    return Check(name, "breach" if speaks and value > threshold else calm, value, unit, threshold, detail)


def _unknown(name: str, unit: str, threshold: float, why: str) -> Check:
    return Check(name, "unknown", None, unit, threshold, why)


def _age(owed: Owed, now: datetime) -> float:
    return age(owed.oldest_at, now) if owed.records and owed.oldest_at else 0.0


def _owed(owed: Owed, layer: str, reader: str) -> str:
    return f"{owed.records} {layer} records wait for {reader}" if owed.records else f"{reader} has done all"


def _since(moment: datetime | None, now: datetime) -> str:
    return f"was {age(moment, now):g} s ago" if moment else "is still to come"
