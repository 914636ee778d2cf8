"""How fast each stage works off a backlog, and how that grows with partitions and with indexers.

One stage works at a time, so that what it shares the machine with is only what it cannot do without: the broker, for
the indexer Postgres, for the producer the stand-in stream.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.lake import LAYERS
from freshet.settings import Settings, Source
from local import launch, stack
from local.bench import backlog, material
from local.bench.backlog import end_of, folder_bytes, until
from local.bench.growth import Measured, figures, said
from local.bench.sizing import sizing
from local.bench.temporary import temporary_stack
from local.bench.usage import UsageHistory
from local.supervisor import Supervisor

Say = Callable[[str], None]

PRODUCED: Final = 100_000
"""The producer writes so many of the events at most; the others are put beside it, which is faster."""

START_TIMEOUT_S: Final = 300
STILL_S: Final = 5.0
POLL_S: Final = 0.05

HELD: Final = ("eventstreams", "producer", "serve")


@dataclass(frozen=True)
class Asked:
    """What is measured: each stage at each number of partitions, the indexer with each number of processes as well.

    The first half of the `events` warms the JVMs up. No more indexers than partitions are measured: the others would
    have nothing to read.
    """

    partitions: Sequence[int]
    indexers: Sequence[int]
    events: int
    documents: int
    recording: Path | None = None


def measure(asked: Asked, report: launch.Report, say: Say) -> dict[str, Any]:
    """`stages`: rows as `growth.figures` has them. `sizes`: bytes an event of each topic and table, and how many
    documents an event gives; of the first number of partitions. `sizing`: what multiples of the real stream need."""
    measured: list[Measured] = []
    sizes: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="freshet-bench-events-") as folder:
        file = Path(folder) / "events.ndjson"
        produced = min(asked.events, PRODUCED)
        say(f"preparing {produced:,} events for the stand-in stream")
        _write(file, islice(_events(asked.recording), produced))
        for partitions in asked.partitions:
            say(f"a stack with {partitions} partitions")
            given = {"source": Source.RECORDING, "recording": file, "rate": 0, "kafka_partitions": partitions,
                     "airflow": False, "monitoring": False, "embedding_sessions": os.cpu_count() or 1}  # fmt: skip
            with temporary_stack(report, only=(*stack.ENGINES, *HELD), hold=HELD, overrides=given) as settings:
                bench = _Bench(settings, asked, say)
                for one in bench.stages(produced):
                    measured.append(one)
                    say(said(one))
                sizes = sizes or bench.sizes
    rows = figures(measured)
    return {
        "stages": rows,
        "sizes": sizes,
        "sizing": sizing(rows, sizes),
        "machine_cores": os.cpu_count(),
        "events": asked.events,
        "documents": asked.documents,
        "source": (Source.RECORDING if asked.recording else Source.SIMULATED).value,
    }


class _Bench:
    """The stages of one stack."""

    def __init__(self, settings: Settings, asked: Asked, say: Say) -> None:
        self._settings = settings
        self._asked = asked
        self._say = say
        self._control = Supervisor(settings)
        self._ready = {process.name: process.ready for process in stack.declare(settings)}
        self.sizes: dict[str, Any] = {}

    def stages(self, produced: int) -> Iterator[Measured]:
        """All of them, in the order of the data."""
        yield self._produce(produced)
        self._note("raw", produced)
        events, left = self._asked.events, self._asked.events - produced
        self._say(f"writing {left:,} further events to the log")
        material.put_raw(self._settings, islice(_events(self._asked.recording), produced, events))
        yield self._serve(events)
        for name in ("silver", "gold"):
            self._note(name, events)
        documents = end_of(self._settings, topics.GOLD)
        self.sizes["documents_per_event"] = round(documents / events, 4)
        yield self._lake(events)
        for number in self._asked.indexers:
            if number <= self._settings.kafka_partitions:
                yield self._index(number)

    def _produce(self, events: int) -> Measured:
        self._control.start("eventstreams")
        until(self._ready["eventstreams"], START_TIMEOUT_S)
        measured = self._follow("producer", events, events // 10, (topics.RAW,), ("kafka", "eventstreams"))
        self._control.stop("eventstreams")
        return measured

    def _serve(self, events: int) -> Measured:
        return self._follow("serve", events, events // 2, (topics.SILVER, topics.REJECTED), ("kafka",))

    def _lake(self, events: int) -> Measured:
        self._say("lake")
        result = backlog.lake(self._settings, self._say, events // 2, self._pids("kafka"))
        rows = sum(batch["rows"] for batch in result["batches"])
        self.sizes["lake_bytes_per_event"] = {layer: round(result["bytes"][layer] / rows, 1) for layer in LAYERS}
        kept = {"lake": result["memory_mb"]}
        return self._measured("lake", result["events"], result["seconds"], result["cpu_seconds"], kept)

    def _index(self, number: int) -> Measured:
        self._say(f"{number} indexers")
        beside = self._pids("kafka", "postgres")
        result = backlog.index(self._settings, self._asked.documents, self._say, number, beside)
        done = result["documents_measured"]
        return self._measured("indexer", done, result["seconds"], result["cpu_seconds"], result["memory_mb"], number)

    def _follow(
        self, name: str, enough: int, warm_up: int, written_to: Sequence[str], beside: Sequence[str]
    ) -> Measured:
        """Start a process and watch it until its topics have so many records more, or no more come; then stop it."""
        self._say(name)
        before = self._count(written_to)
        self._control.start(name)
        with UsageHistory(self._pids(name, *beside)) as history:
            done = follow(lambda: self._count(written_to) - before, enough, warm_up)
        self._control.stop(name)
        kept = {one: seen for one, seen in history.memory_mb().items() if one == name}
        return self._measured(name, done.units, done.until - done.since, history.used(done.since, done.until), kept)

    def _measured(
        self,
        stage: str,
        units: float,
        seconds: float,
        cpu_seconds: Mapping[str, float],
        memory_mb: Mapping[str, Mapping[str, float]],
        indexers: int = 1,
    ) -> Measured:
        return Measured(stage, self._settings.kafka_partitions, indexers, units, seconds, cpu_seconds, memory_mb)

    def _count(self, names: Sequence[str]) -> int:
        return sum(end_of(self._settings, name) for name in names)

    def _pids(self, *names: str) -> dict[str, int]:
        states = self._control.states()
        return {name: pid for name in names if (pid := states[name].pid)}

    def _note(self, name: str, events: int) -> None:
        # the indexes of a log's segments are larger than what they hold
        size = sum(
            folder_bytes(folder, "*.log")
            for folder in (self._settings.state_dir / "kafka" / "data").glob(f"wiki.{name}-*")
        )
        self.sizes.setdefault("log_bytes_per_event", {})[name] = round(size / events, 1)


@dataclass(frozen=True)
class Stretch:
    """What was done between two times of `time.monotonic`."""

    units: int
    since: float
    until: float


def follow(count: Callable[[], int], enough: int, warm_up: int, still_s: float = STILL_S) -> Stretch:
    """Watch a count until it is enough, or has begun and stands still. What is measured begins with the last look
    before the end of the warm-up.

    Raises PermanentError when it does not begin.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    last, grown = 0, time.monotonic()
    since, before = grown, 0
    while last < enough and time.monotonic() < (grown + still_s if last else deadline):
        if last < warm_up:
            since, before = time.monotonic(), last
        time.sleep(POLL_S)
        if (now := count()) > last:
            last, grown = now, time.monotonic()
    if last < max(warm_up, 1):
        raise PermanentError(f"only {last:,} of {enough:,} records came: there is nothing to measure")
    return Stretch(last - before, since, grown)


def _events(recording: Path | None) -> Iterator[dict[str, Any]]:
    """Events whose comments all differ: an indexer embeds each text once, and a recording repeats itself."""
    for number, event in enumerate(material.events(recording)):
        yield {**event, "comment": f"{event.get('comment') or ''} {number}".lstrip()}


def _write(file: Path, events: Iterator[dict[str, Any]]) -> None:
    with file.open("w", encoding="utf-8") as out:
        for event in events:
            out.write(json.dumps(event, ensure_ascii=False) + "\n")
