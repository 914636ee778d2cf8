"""The producer: one thread reads the stream and sends, this one polls the broker and keeps the position."""

import signal
import time
from threading import Thread
from types import FrameType

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from freshet.errors import FreshetError, PermanentError, TransientError
from freshet.settings import Settings, Source
from freshet.telemetry import logs, metrics
from freshet.telemetry.serve import serve_metrics
from producer.classify import classify
from producer.connection import Reader
from producer.publish import Publisher
from producer.resume import Ledger, Position, identity, read_position

POLL_S = 0.2
POSITION_EVERY_S = 1.0
STOP_S = 1.0
BROKER_WAIT_S = 120.0


class _Signals:
    """SIGTERM and SIGINT ask for the end. Only a flag is set: taking a lock inside a handler can deadlock."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


class _Pump(Thread):
    """Stream -> publisher, until the reader is stopped. `failure` says why it ended otherwise."""

    def __init__(self, reader: Reader, publisher: Publisher, source: str) -> None:
        super().__init__(name="stream", daemon=True)
        self.failure: FreshetError | None = PermanentError("the reading thread died; its traceback is above")
        self._reader = reader
        self._publisher = publisher
        self._source = source

    def run(self) -> None:
        try:
            for frame in self._reader.frames():
                if frame.event != "message":
                    continue
                now_ms = time.time_ns() // 1_000_000
                metrics.RECEIVED.labels(self._source).inc()
                metrics.LAST_RECEIVED.set(now_ms / 1000)
                record = classify(frame, now_ms, self._source)
                if record is None:
                    metrics.CANARIES.inc()
                self._publisher.send(frame.id, record)
            self.failure = None
        except FreshetError as error:
            self.failure = error


def run(settings: Settings) -> None:
    """Produce until SIGTERM or SIGINT.

    Raises PermanentError when the stream or the broker refuses us for good, TransientError when there is no broker.
    """
    serve_metrics(settings.producer_metrics_port)
    position = _position_once_there_is_a_broker(settings)
    # `auto` is resolved by whoever starts this process; on its own it can only mean the stream as it is.
    source = Source.LIVE if settings.source is Source.AUTO else settings.source
    ledger = Ledger()
    publisher = Publisher(settings.bootstrap_servers, identity(settings), ledger)
    reader = Reader(settings, position.sse_id if position else None)
    pump = _Pump(reader, publisher, source)
    signals = _Signals()
    logs.get().info("start", stream=identity(settings), source=source, position=position.sse_id if position else None)
    pump.start()
    try:
        _keep(publisher, pump, signals)
    finally:
        reader.stop()
        pump.join(STOP_S)
        publisher.close()
    if pump.failure is not None and not signals.asked:
        raise pump.failure


def _keep(publisher: Publisher, pump: _Pump, signals: _Signals) -> None:
    written = time.monotonic()
    while pump.is_alive() and not signals.asked:
        publisher.poll(POLL_S)
        if time.monotonic() - written >= POSITION_EVERY_S:
            publisher.write_position()
            written = time.monotonic()


def _position_once_there_is_a_broker(settings: Settings) -> Position | None:
    patiently = Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_exponential(multiplier=0.2, max=5),
        stop=stop_after_delay(BROKER_WAIT_S),
        reraise=True,
    )
    return patiently(read_position, settings)
