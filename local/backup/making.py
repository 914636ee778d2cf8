"""Making a backup, while everything runs or with the engines alone."""

import importlib.metadata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from freshet import __version__
from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.offsets import Marks
from freshet.settings import Settings
from freshet.store import databases
from freshet.store.standing import standing
from local.airflow import configuration as airflow
from local.backup import broker, dump, engines, lake, manifest, tail
from local.backup.folder import Filling, filled
from local.backup.lake import Checkpoint
from local.backup.manifest import Manifest, Span

STAND_IN: Final = "eventstreams.json"
"""What the stand-in for the event stream remembers, in the state folder; the real stream remembers by itself."""

Say = Callable[[str], None]


def make(settings: Settings, filling: Filling, *, with_lake: bool, say: Say) -> Manifest:
    """Fill a backup. Only the order of these lines makes it consistent: what is read later may be newer, and is
    repeated by what was noted earlier.

    Raises ConfigError for a lake that is on no machine's disk, PermanentError when there is nothing to keep or it
    cannot be kept exactly, TransientError when a store is away.
    """
    made_at = datetime.now(UTC)
    served = lake.checkpoint(settings, "serve")[1] if with_lake else {}
    indexed = broker.indexed(settings, broker.marks(settings)[topics.GOLD])
    store = standing(settings.conninfo)
    if not store.migrations:
        raise PermanentError("the store has no tables: there is nothing to keep yet")
    say("the store")
    dump.dump(settings.conninfo, filling.place("postgres/freshet.dump"))
    filling.note("postgres/freshet.dump")
    has_airflow = databases.has_database(settings.conninfo, airflow.DATABASE)
    if has_airflow:
        say("Airflow's database")
        dump.dump(settings.conninfo, filling.place("postgres/airflow.dump"), airflow.DATABASE)
        filling.note("postgres/airflow.dump")
    # Tables newer than the checkpoint get again what they have; a checkpoint newer than the tables would leave a hole.
    reached = lake.save_checkpoint(settings, "lake", filling) if with_lake else {}
    if with_lake:
        lake.save_checkpoint(settings, "serve", filling)
    tables = lake.pinned(settings) if with_lake else {}
    # Up to the position everything is in the log, so the log is looked at after it.
    resume = broker.marks(settings)[topics.RESUME]
    marks = broker.marks(settings)
    spans = {
        topics.RESUME: {number: Span(first=part.first, end=part.end) for number, part in resume.items()},
        topics.RAW: _since(marks[topics.RAW], *_places(topics.RAW, served, reached), with_lake=with_lake),
        topics.REJECTED: _since(marks[topics.REJECTED], *_places(topics.REJECTED, reached), with_lake=with_lake),
        topics.GOLD: _since(marks[topics.GOLD], indexed, with_lake=True, at_least=0),
    }
    _save_log(settings, spans, filling, say)
    for layer, table in tables.items():
        say(f"{layer}, version {table.version()}")
        lake.save_table(settings, layer, table, filling, say)
    if (settings.state_dir / STAND_IN).exists():
        filling.copy(settings.state_dir / STAND_IN, f"stream/{STAND_IN}")
    return Manifest(
        format=manifest.FORMAT,
        made_at=made_at,
        freshet=__version__,
        migrations=store.migrations,
        documents=store.documents,
        model=store.model,
        airflow=importlib.metadata.version("apache-airflow-core") if has_airflow else None,
        indexed=indexed,
        log=spans,
        lake={layer: table.version() for layer, table in tables.items()},
        checkpoints={"serve": served, "lake": reached} if with_lake else {},
        files=dict(sorted(filling.files.items())),
    )


def _places(topic: str, *checkpoints: Checkpoint) -> list[Mapping[int, int]]:
    return [checkpoint.get(topic, {}) for checkpoint in checkpoints]


def _since(
    marks: Mapping[int, Marks], *readers: Mapping[int, int], with_lake: bool, at_least: int = 1
) -> dict[int, Span]:
    """From where the reader that is furthest behind goes on, and `at_least` the last records, to know the log by."""
    spans = {}
    for number, part in marks.items():
        wanted = min((reader.get(number, 0) for reader in readers), default=0) if with_lake else part.end
        first = max(part.first, min(wanted, part.end - at_least))
        spans[number] = Span(first=min(first, part.end), end=part.end)
    return spans


def _save_log(settings: Settings, spans: Mapping[str, Mapping[int, Span]], filling: Filling, say: Say) -> None:
    for topic, parts in spans.items():
        name = f"log/{topic}.parquet"
        wanted = {number: range(span.first, span.end) for number, span in parts.items()}
        # What is compacted has holes, and of what waits for the index no offset matters.
        exact = topic in (topics.RAW, topics.REJECTED)
        count = tail.save(settings, topic, wanted, filling.place(name), whole=exact)
        filling.note(name)
        say(f"{count:,} records of {topic}")


def backup(settings: Settings, folder: Path, *, with_lake: bool, say: Say) -> Manifest:
    """Make a backup in a folder that is not there yet, or empty. Raises as `make` does, and ConfigError."""
    if with_lake:
        lake.folder_of(settings)
    with filled(folder) as filling, engines.running(settings):
        made = make(settings, filling, with_lake=with_lake, say=say)
        filling.write(manifest.NAME, made.model_dump_json(indent=1).encode())
    return made
