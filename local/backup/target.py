"""Where a backup is to be restored: what is there, and whether it may be."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from freshet.contract import topics
from freshet.errors import ConfigError, PermanentError
from freshet.offsets import Marks
from freshet.settings import PREFIX, Settings
from freshet.store import databases, migrate
from local.airflow import configuration as airflow
from local.backup import broker, lake, tail
from local.backup.manifest import Manifest, Span

EMPTIED: Final = "a restore writes over nothing: remove it (of the embedded stack with `freshet down --remove`)"


class Log(StrEnum):
    """What the broker has."""

    EMPTY = "empty"
    SAME = "the one that the backup is of"


def check_readable(manifest: Manifest) -> None:
    """Raise PermanentError when the backup is of a newer Freshet."""
    known = {migration.name for migration in migrate.migrations()}
    if newer := [name for name in manifest.migrations if name not in known]:
        raise PermanentError(f"the backup has migration {newer[-1]}, which this code does not know: update Freshet")


def check_lake(settings: Settings, manifest: Manifest) -> None:
    """Raise PermanentError when there is a lake already, ConfigError when it would not be a folder."""
    if (manifest.lake or manifest.checkpoints) and not lake.is_empty(settings):
        raise PermanentError(f"there is a lake in {lake.folder_of(settings)}: {EMPTIED}")


def check_store(settings: Settings, manifest: Manifest) -> None:
    """Raise PermanentError when the databases are not empty."""
    if databases.count_tables(settings.conninfo):
        raise PermanentError(f"the store has tables: {EMPTIED}")
    if manifest.airflow and databases.has_database(settings.conninfo, airflow.DATABASE):
        raise PermanentError(f"there is a database {airflow.DATABASE}: {EMPTIED}")


def log_of(settings: Settings, manifest: Manifest, folder: Path) -> Log:
    """What the broker has. Raises PermanentError when it is neither nothing nor the backup's own log, or is in use."""
    if count := broker.members(settings):
        raise PermanentError(f"{count} indexers run on {settings.bootstrap_servers}: end all of Freshet first")
    marks = broker.marks(settings)
    if all(part.end == 0 for parts in marks.values() for part in parts.values()):
        check_new_log(settings, manifest, marks)
        return Log.EMPTY
    for topic in (topics.RAW, topics.REJECTED, topics.GOLD):
        if problem := _short(topic, manifest.log[topic], marks[topic]):
            raise PermanentError(
                f"the log of {settings.bootstrap_servers} is neither empty nor whole: {problem}. Restore into an empty "
                "one: delete the topics, or name another broker"
            )
    for topic in (topics.RAW, topics.REJECTED):
        _check_same(settings, topic, folder)
    return Log.SAME


def check_new_log(settings: Settings, manifest: Manifest, marks: Mapping[str, Mapping[int, Marks]]) -> None:
    """Raise PermanentError when the log cannot be made anew, ConfigError when its topics would be others."""
    if not manifest.checkpoints and any(span.end for span in manifest.log[topics.RAW].values()):
        raise PermanentError(
            "the broker is empty and the backup without the lake, whose readers are bound to the log that was: "
            "it can only be restored beside that log"
        )
    for topic in (topics.RAW, topics.REJECTED, topics.GOLD):
        was, now = len(manifest.log[topic]), len(marks.get(topic, {})) or settings.kafka_partitions
        if was and was != now:
            raise ConfigError(f"{PREFIX}KAFKA_PARTITIONS: {topic} had {was} partitions and would have {now}")


def misfits(settings: Settings) -> list[str]:
    """Where the queries' checkpoints do not fit the log: they name a partition that is not there, or wait for offsets
    that it has not come to."""
    marks = broker.marks(settings)
    return [
        f"the checkpoint of {query} is at {topic} {number}:{offset}, the log "
        + (f"ends at {marks[topic][number].end}" if number in marks.get(topic, {}) else "has no such partition")
        for query in ("serve", "lake")
        for topic, places in lake.checkpoint(settings, query)[1].items()
        for number, offset in places.items()
        if number not in marks.get(topic, {}) or marks[topic][number].end < offset
    ]


def _short(topic: str, spans: Mapping[int, Span], marks: Mapping[int, Marks]) -> str | None:
    """What a topic lacks of what its readers go on from."""
    for number, span in spans.items():
        part = marks.get(number)
        if part is None:
            return f"{topic} has no partition {number}"
        if part.end < span.end:
            return f"{topic} {number} ends at {part.end}, the backup's at {span.end}"
        if part.first > span.first:
            return f"{topic} {number} begins at {part.first}, its readers go on from {span.first}"
    return None


def _check_same(settings: Settings, topic: str, folder: Path) -> None:
    """Compare the last record of each partition in the backup with what is at its place."""
    for number, record in tail.last(folder / "log" / f"{topic}.parquet").items():
        there = list(tail.records(settings, topic, {number: range(record.offset, record.offset + 1)}))
        if there != [record]:
            raise PermanentError(
                f"{topic} of {settings.bootstrap_servers} holds another record at {number}:{record.offset} than the "
                "backup: it is another log. Restore into an empty one"
            )
