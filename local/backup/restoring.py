"""Restoring a backup into a place that is empty; without `apply` it is only said what would be done."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store import databases
from freshet.store.migrate import migrate
from local import launch
from local.airflow import configuration as airflow
from local.backup import broker, dump, engines, lake, rebuild, tail, target
from local.backup.folder import copied, verified
from local.backup.making import STAND_IN
from local.backup.manifest import Manifest
from local.backup.target import Log

LAKE: Final = "lake/"
SERVE: Final = "lake/checkpoints/serve/"

Say = Callable[[str], None]


def restore(settings: Settings, folder: Path, *, apply: bool, say: Say) -> dict[str, Any]:
    """Restore a backup, or say what that would do. Returns a report that JSON can hold.

    Raises PermanentError for a backup that is damaged or of a newer Freshet, and for a place that is not empty or in
    use; ConfigError when a setting must be another; TransientError when a store is away.
    """
    began = time.monotonic()
    say("checking every file")
    manifest = verified(folder)
    age_s = round((datetime.now(UTC) - manifest.made_at).total_seconds())
    report: dict[str, Any] = {"applied": apply, "backup": manifest.summary(), "age_seconds": age_s}
    engines.refuse_when_up(settings)
    target.check_readable(manifest)
    target.check_lake(settings, manifest)
    if not apply and engines.are_new(settings):
        target.check_new_log(settings, manifest, {})
        return {**report, "log": Log.EMPTY.value, "seconds": round(time.monotonic() - began, 1)}
    with engines.running(settings):
        log = target.log_of(settings, manifest, folder)
        target.check_store(settings, manifest)
        report["log"] = log.value
        if apply:
            report["migrations_applied"] = _apply(settings, folder, manifest, log, say)
    return {**report, "seconds": round(time.monotonic() - began, 1)}


def _apply(settings: Settings, folder: Path, manifest: Manifest, log: Log, say: Say) -> list[str]:
    mark = settings.state_dir / launch.HALF_RESTORED
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(json.dumps({"from": str(folder), "begun_at": datetime.now(UTC).isoformat()}))
    if log is Log.EMPTY:
        _rebuild_log(settings, folder, manifest, say)
    say("the store")
    dump.restore(settings.conninfo, folder / "postgres/freshet.dump")
    if manifest.airflow:
        say("Airflow's database")
        databases.ensure_database(settings.conninfo, airflow.DATABASE)
        dump.restore(settings.conninfo, folder / "postgres/airflow.dump", airflow.DATABASE)
    migrated = migrate(settings.conninfo)
    if manifest.checkpoints:
        say("the lake")
        _restore_lake(settings, folder, manifest, log)
        if wrong := target.misfits(settings):
            raise PermanentError(f"the log is not as the backup says: {wrong[0]}")
    # Of a log made anew what waited for the index is all that gold has; of one that stayed it is behind these offsets.
    begin = dict.fromkeys(manifest.log[topics.GOLD], 0)
    broker.set_indexed(settings, begin if log is Log.EMPTY else manifest.indexed)
    remembered = settings.state_dir / STAND_IN
    if f"stream/{STAND_IN}" in manifest.files and not remembered.exists():
        _copy(folder, f"stream/{STAND_IN}", remembered, manifest)
    mark.unlink()
    return migrated


def _rebuild_log(settings: Settings, folder: Path, manifest: Manifest, say: Say) -> None:
    """Raw records and dead letters at the offsets that bronze and rejected are keyed by; all else at any."""
    broker.make_topics(settings)
    for topic, exact in {topics.RAW: True, topics.REJECTED: True, topics.GOLD: False, topics.RESUME: False}.items():
        if exact:
            begin = {number: span.first for number, span in manifest.log[topic].items()}
            rebuild.advance(settings, topic, begin, say)
        count = rebuild.write(settings, topic, tail.saved(folder / f"log/{topic}.parquet"), exact=exact)
        say(f"{count:,} records of {topic}")
    marks = broker.marks(settings)
    for topic in (topics.RAW, topics.REJECTED):
        for number, span in manifest.log[topic].items():
            part = marks[topic][number]
            if (part.first, part.end) != (span.first, span.end):
                raise PermanentError(
                    f"{topic} {number} has offsets {part.first} to {part.end}, not those of the backup"
                )


def _restore_lake(settings: Settings, folder: Path, manifest: Manifest, log: Log) -> None:
    """The tables and after them the checkpoints.

    Of a log made anew the serve query reads all that there is: the topics that it writes have nothing of it.
    """
    root = lake.folder_of(settings)
    names = [name for name in manifest.files if name.startswith(LAKE)]
    for name in sorted(names, key=lambda name: name.startswith(f"{LAKE}checkpoints/")):
        if not (log is Log.EMPTY and name.startswith(SERVE)):
            _copy(folder, name, root / name.removeprefix(LAKE), manifest)


def _copy(folder: Path, name: str, to: Path, manifest: Manifest) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("rb") as stream, to.open("xb") as file:
        if copied(stream, file) != manifest.files[name]:
            raise PermanentError(f"{name} changed while it was read")
