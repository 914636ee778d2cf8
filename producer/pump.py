"""What a producer does all the time: one thread reads and sends, another polls the broker and keeps the position."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from threading import Thread
from types import FrameType

from freshet.errors import FreshetError, PermanentError
from freshet.telemetry import metrics
from producer.classify import classify
from producer.frames import Frame
from producer.publish import Publisher

POLL_S = 0.2
POSITION_EVERY_S = 1.0

Item = tuple[str, Frame]
"""A frame, and the position that says it is done."""


class Signals:
    """SIGTERM and SIGINT ask for the end. Only a flag is set: taking a lock inside a handler can deadlock."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


class Pump(Thread):
    """Frames -> publisher, until there are no more. `failure` says why it ended otherwise.

    `counts` are the frames that were `read`, and of these those that were `sent`, the `canaries` and the `rejected`.
    """

    def __init__(self, items: Iterable[Item], publisher: Publisher, source: str) -> None:
        super().__init__(name="stream", daemon=True)
        self.failure: FreshetError | None = PermanentError("the reading thread died; its traceback is above")
        self.counts: Counter[str] = Counter()
        self.first_id = self.last_id = self.position = ""
        self._items = items
        self._publisher = publisher
        self._source = source

    def run(self) -> None:
        """Read to the end."""
        try:
            for position, frame in self._items:
                if frame.event == "message":
                    self._pass_on(position, frame)
            self.failure = None
        except FreshetError as error:
            self.failure = error

    def _pass_on(self, position: str, frame: Frame) -> None:
        now_ms = time.time_ns() // 1_000_000
        metrics.RECEIVED.labels(self._source).inc()
        metrics.LAST_RECEIVED.set(now_ms / 1000)
        record = classify(frame, now_ms, self._source)
        if record is None:
            metrics.CANARIES.inc()
        self._publisher.send(position, record)
        kind = "canaries" if record is None else "rejected" if record.reason else "sent"
        self.counts.update(("read", kind))
        self.first_id, self.last_id, self.position = self.first_id or frame.id, frame.id or self.last_id, position


def keep(publisher: Publisher, pump: Pump, signals: Signals, meanwhile: Callable[[], None] | None = None) -> None:
    """Poll the broker and write the position every second, until the pump ends or the end is asked for."""
    written = time.monotonic()
    while pump.is_alive() and not signals.asked:
        publisher.poll(POLL_S)
        if meanwhile is not None:
            meanwhile()
        if time.monotonic() - written >= POSITION_EVERY_S:
            publisher.write_position()
            written = time.monotonic()
