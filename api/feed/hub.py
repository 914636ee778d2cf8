"""Who listens to the feed, and what they are given. All of it runs on the event loop; nothing waits for a client."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from api.feed.position import Position

RECENT: Final = 2_000
"""Events kept for listeners that come back: some 50 s of the real stream."""

REMEMBERED: Final = 50_000
"""Event ids by which a repeat is known: a crash of the serve query repeats at most a real-time batch."""

BUFFER: Final = 1_000
"""Events that wait for one slow listener; beyond that the oldest are skipped."""

Event = Mapping[str, Any]
Wanted = Callable[[Event], bool]


@dataclass(frozen=True)
class Item:
    """One event, and where the log stood after it: the id by which a listener comes back."""

    partition: int
    offset: int
    position: Position
    event: Event


@dataclass(eq=False)
class Listener:
    """What waits for one client. `skipped` counts what it was too slow for, or away for too long."""

    wanted: Wanted
    waiting: deque[Item] = field(default_factory=deque)
    skipped: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def give(self, item: Item) -> None:
        """Put an event in the buffer if it is wanted; the oldest makes room."""
        if not self.wanted(item.event):
            return
        if len(self.waiting) == BUFFER:
            self.waiting.popleft()
            self.skipped += 1
        self.waiting.append(item)
        self._arrived.set()

    async def take(self, timeout_s: float) -> tuple[int, list[Item]]:
        """How many were skipped, and what has arrived since the last call; waits a while for the first."""
        if not self.waiting and not self.skipped:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), timeout_s)
            except TimeoutError:
                return 0, []
        skipped, items = self.skipped, list(self.waiting)
        self.skipped = 0
        self.waiting.clear()
        return skipped, items


class Hub:
    """The newest events, and the listeners."""

    def __init__(self) -> None:
        self._recent: deque[Item] = deque(maxlen=RECENT)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._listeners: set[Listener] = set()
        self._begun = Position({})
        self._reached = Position({})

    def begin(self, offsets: Mapping[int, int]) -> None:
        """Where the reading of the log begins, by partition."""
        self._begun = self._reached = Position(dict(offsets))

    def publish(self, partition: int, offset: int, event: Event) -> None:
        """One record of the log. An event that was there lately is passed over. Raises KeyError without event_id."""
        self._reached = self._reached.after(partition, offset)
        event_id = event["event_id"]
        if event_id in self._seen:
            return
        self._seen[event_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if len(self._recent) == RECENT:
            oldest = self._recent[0]
            self._begun = self._begun.after(oldest.partition, oldest.offset)
        item = Item(partition, offset, self._reached, event)
        self._recent.append(item)
        for listener in self._listeners:
            listener.give(item)

    @contextmanager
    def listening(self, wanted: Wanted, after: Position | None, recent: int) -> Iterator[Listener]:
        """A listener until the block ends. It begins with what came after a position, else with the newest `recent`."""
        listener = Listener(wanted)
        if after is not None:
            listener.skipped = after.missing(self._begun)
        missed = [item for item in self._recent if after is None or not after.includes(item.partition, item.offset)]
        fitting = [item for item in missed if wanted(item.event)]
        for item in fitting if after is not None else fitting[len(fitting) - min(recent, len(fitting)) :]:
            listener.give(item)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
