"""The broker's truth: the offsets of every topic, and how far each reader is behind them, in records and in seconds."""

from collections.abc import Iterator, Mapping
from time import monotonic, time

from confluent_kafka import KafkaException

from freshet.context_source import url_of
from freshet.contract import topics
from freshet.offsets import Marks, Offsets, Places, unread
from freshet.settings import Settings
from freshet.telemetry import metrics
from freshet.upkeep.log_state import LogState

GAUGES = (metrics.EARLIEST, metrics.LATEST, metrics.GROUP_OFFSET, metrics.LAG, metrics.LAG_SECONDS)


class Log:
    """The topics and their readers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._offsets = Offsets(settings)

    def look(self) -> None:
        """Set the gauges. Raises KafkaException or TimeoutError; then there are none, rather than those of before."""
        deadline = monotonic() + self._settings.sla_timeout_s
        try:
            marks = self._offsets.marks((topic.name for topic in topics.ALL), deadline)
            for topic, parts in marks.items():
                for number, part in parts.items():
                    metrics.EARLIEST.labels(topic, number).set(part.first)
                    metrics.LATEST.labels(topic, number).set(part.end)
            for group, topic, reached in self._readers(marks, deadline):
                self._report(group, topic, marks[topic], reached, deadline)
        except (KafkaException, TimeoutError):
            for gauge in GAUGES:
                gauge.clear()
            raise

    def _readers(self, marks: Mapping[str, Mapping[int, Marks]], deadline: float) -> Iterator[tuple[str, str, Places]]:
        """Group, topic, and the next offset by partition."""
        for group, topic in (
            (self._settings.indexer_group, topics.GOLD),
            (topics.LAKE_GROUP, topics.RAW),
            (topics.LAKE_GROUP, topics.REJECTED),
            *((topics.CONTEXT_GROUP, topic) for topic in (topics.GOLD, topics.SILVER) if url_of(self._settings)),
        ):
            if marks[topic]:
                yield group, topic, self._offsets.committed(group, topic, marks[topic], deadline)
        if not marks[topics.RAW]:
            return
        # real-time mode reports at the end of its long batches; what it has written says more
        noted = self._offsets.committed(topics.SERVE_GROUP, topics.RAW, marks[topics.RAW], deadline)
        written = LogState(self._settings, self._offsets, deadline).served()
        served = {number: max(noted[number], written.get(number, -1)) for number in noted}
        yield topics.SERVE_GROUP, topics.RAW, served

    def _report(self, group: str, topic: str, marks: Mapping[int, Marks], reached: Places, deadline: float) -> None:
        # it may have come further since the topic was asked for its end
        waiting = unread(marks, reached)
        oldest = {number: offsets.start for number, offsets in waiting.items() if offsets}
        times = self._offsets.times_ms(topic, oldest, deadline) if oldest else {}
        for number, offsets in waiting.items():
            place = (group, topic, number)
            metrics.GROUP_OFFSET.labels(*place).set(max(reached.get(number, -1), marks[number].first))
            metrics.LAG.labels(*place).set(len(offsets))
            waited = time() - times[number] / 1000 if number in times else 0.0
            metrics.LAG_SECONDS.labels(*place).set(max(0.0, waited))
