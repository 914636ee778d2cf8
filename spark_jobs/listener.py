"""What the streaming queries say about themselves: rows, rates, phases and losses as metrics, offsets to the broker."""

import json
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, Final
from uuid import UUID

import structlog
from confluent_kafka import KafkaException
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from freshet.contract import topics
from freshet.offsets import Offsets, reason
from freshet.settings import Settings
from freshet.telemetry import metrics
from spark_jobs import lake, serve

log = structlog.get_logger()

COUNTED_HERE: Final = frozenset({serve.QUERY})
"""Queries whose rows Spark counts right. The lake's batch reads its records more than once and counts for itself."""

GROUPS: Final = {serve.QUERY: topics.SERVE_GROUP, lake.QUERY: topics.LAKE_GROUP}
"""The groups under which the broker knows how far the queries are: whatever shows consumer lag then shows theirs."""

NOTE_S: Final = 5.0


class ProgressListener(StreamingQueryListener):
    """Every query's progress to the metrics and the broker. Called by Spark, asynchronously, one event at a time."""

    def __init__(self, settings: Settings) -> None:
        self._offsets = Offsets(settings)
        self._names: dict[UUID, str] = {}

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802
        """The query runs."""
        self._names[event.runId] = event.name or str(event.id)
        metrics.SPARK_ACTIVE.labels(self._names[event.runId]).set(1)

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802
        """One batch was done."""
        progress = json.loads(event.progress.json)
        report(progress)
        self._note(progress)

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802
        """There was nothing to do: it runs all the same."""
        metrics.SPARK_PROGRESS_TIME.labels(self._names[event.runId]).set_to_current_time()

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802
        """The query ended, by itself or because it was asked to."""
        metrics.SPARK_ACTIVE.labels(self._names.pop(event.runId)).set(0)

    def _note(self, progress: Mapping[str, Any]) -> None:
        group, reached = GROUPS.get(progress["name"]), consumed(progress)
        if group is None or not any(reached.values()):
            return
        try:
            self._offsets.note(group, reached, monotonic() + NOTE_S)
        except (KafkaException, TimeoutError) as error:
            log.warning(
                "the broker was not told how far the query is", query=progress["name"], error=reason(error, NOTE_S)
            )


def report(progress: Mapping[str, Any]) -> None:
    """One progress report to the metrics; records that the log had let go are said loudly."""
    name = progress["name"]
    metrics.SPARK_RATE.labels(name).set(progress.get("processedRowsPerSecond") or 0)
    metrics.SPARK_BATCH.labels(name).set(progress["batchId"])
    metrics.SPARK_PROGRESS_TIME.labels(name).set_to_current_time()
    for phase, milliseconds in progress["durationMs"].items():
        metrics.SPARK_PHASE.labels(name, phase).set(milliseconds / 1000)
    if name in COUNTED_HERE:
        metrics.SPARK_INPUT.labels(name).inc(progress["numInputRows"])
        if missing := lost(progress):
            metrics.SPARK_LOST.labels(name).inc(missing)
            log.error("records left the log before they were read", query=name, records=missing)


def consumed(progress: Mapping[str, Any]) -> dict[str, dict[int, int]]:
    """The offset that is next to be read, by topic and partition."""
    return {
        topic: {int(partition): int(offset) for partition, offset in partitions.items()}
        for source in progress["sources"]
        for topic, partitions in _offsets(source, "endOffset").items()
    }


def lost(progress: Mapping[str, Any]) -> int:
    """How many offsets a batch passed over without a record: retention took them, or nobody ever wrote them."""
    passed = sum(end - start for source in progress["sources"] for start, end in _ranges(source))
    return max(0, passed - int(progress["numInputRows"]))


def _ranges(source: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    starts = _offsets(source, "startOffset")
    for topic, ends in _offsets(source, "endOffset").items():
        for partition, end in ends.items():
            # without a start the batch began at the earliest offset there was: nothing is known to be lost
            yield starts.get(topic, {}).get(partition, end), end


def _offsets(source: Mapping[str, Any], name: str) -> dict[str, dict[str, int]]:
    offsets = source.get(name) or {}
    return json.loads(offsets) if isinstance(offsets, str) else dict(offsets)
