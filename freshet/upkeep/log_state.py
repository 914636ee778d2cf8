"""The log at one moment: how new its topics are, and what their readers have still to do."""

from collections.abc import Mapping
from datetime import UTC, datetime
from time import time
from typing import Final

from freshet.contract import topics
from freshet.offsets import Marks, Offsets, Places, unread
from freshet.settings import Settings
from freshet.upkeep.observations import Owed
from freshet.upkeep.received import heard_at
from freshet.upkeep.served import Served, served

TOPICS: Final = (topics.RAW, topics.SILVER, topics.GOLD, topics.REJECTED)


class LogState:
    """The broker, asked until a deadline of `time.monotonic`; every method raises KafkaException or TimeoutError."""

    def __init__(self, settings: Settings, offsets: Offsets, deadline: float) -> None:
        self._settings = settings
        self._deadline = deadline
        self._offsets = offsets
        self._marks = offsets.marks(TOPICS, deadline)

    def newest(self, topic: str) -> datetime | None:
        """The time of a topic's newest record."""
        newest_ms = max((part.newest_ms for part in self._marks[topic].values()), default=-1)
        return _moment(newest_ms) if newest_ms >= 0 else None

    def end(self, topic: str) -> int | None:
        """How many records a topic was ever given; None when there is no such topic."""
        marks = self._marks[topic]
        return sum(part.end for part in marks.values()) if marks else None

    def heard_at(self) -> datetime | None:
        """When the source last spoke."""
        return heard_at(self._settings, self.newest(topics.RAW), self._deadline)

    def unserved(self) -> Owed:
        """Raw records that the serve query has still to do."""
        return self._owed(topics.RAW, self.served())

    def served(self) -> Places:
        """The next raw offset of the serve query, by partition."""
        return self._reached(served(self._settings, self._marks, self._deadline))

    def uncommitted(self, group: str, topic: str) -> int | None:
        """Records of a topic that a group has not committed; None when it has never committed any."""
        marks = self._marks[topic]
        reached = self._offsets.committed(group, topic, marks, self._deadline) if marks else {}
        if all(offset < 0 for offset in reached.values()):
            return None
        return sum(map(len, unread(marks, reached).values()))

    def unindexed(self) -> Owed:
        """Gold records that the indexer has still to do."""
        gold, group = self._marks[topics.GOLD], self._settings.indexer_group
        return self._owed(
            topics.GOLD, self._offsets.committed(group, topics.GOLD, gold, self._deadline) if gold else {}
        )

    def unlaked(self, logged_until: datetime | None) -> Owed:
        """Raw records that bronze does not have, whose newest has this time of the broker."""
        until_ms = round(logged_until.timestamp() * 1000) if logged_until else -1
        return self._owed(topics.RAW, self._reached(Served(until_ms)))

    def in_window(self, topic: str, seconds: float) -> int:
        """Records of the last so many seconds."""
        marks = self._marks[topic]
        begun_ms = round((time() - seconds) * 1000)
        first = self._offsets.since(topic, marks, begun_ms, self._deadline)
        return sum(part.end - min(part.end, max(part.first, first[number])) for number, part in marks.items())

    def _reached(self, found: Served) -> Places:
        """The next raw offset by partition: behind all that is as old as the newest that was done."""
        raw: Mapping[int, Marks] = self._marks[topics.RAW]
        if found.until_ms < 0:
            return found.offsets
        behind = self._offsets.since(topics.RAW, raw, found.until_ms + 1, self._deadline)
        return {number: max(behind[number], found.offsets.get(number, -1)) for number in raw}

    def _owed(self, topic: str, reached: Places) -> Owed:
        waiting = unread(self._marks[topic], reached)
        places = {number: offsets.start for number, offsets in waiting.items() if offsets}
        if not places:
            return Owed()
        oldest_ms = self._offsets.oldest_ms(topic, places, self._deadline)
        return Owed(sum(map(len, waiting.values())), _moment(oldest_ms) if oldest_ms is not None else None)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
