"""The producer: the live stream -> the log, from where the last one stopped, until somebody ends it."""

from freshet.settings import Settings, Source
from freshet.telemetry import logs
from freshet.telemetry.serve import serve_metrics
from freshet.upkeep.received import identity
from producer.connection import Reader
from producer.publish import Publisher
from producer.pump import Pump, Signals, keep
from producer.resume import Ledger, await_position

STOP_S = 1.0


def run(settings: Settings) -> None:
    """Produce until SIGTERM or SIGINT.

    Raises PermanentError when the stream or the broker refuses us for good, TransientError when there is no broker.
    """
    serve_metrics(settings.listen_host, settings.producer_metrics_port, "producer")
    position = await_position(settings, identity(settings))
    # `auto` is resolved by whoever starts this process; on its own it can only mean the stream as it is.
    source = Source.LIVE if settings.source is Source.AUTO else settings.source
    publisher = Publisher(settings.bootstrap_servers, identity(settings), Ledger())
    reader = Reader(settings, position.sse_id if position else None)
    pump = Pump(((frame.id, frame) for frame in reader.frames()), publisher, source)
    signals = Signals()
    logs.get().info("start", stream=identity(settings), source=source, position=position.sse_id if position else None)
    pump.start()
    try:
        keep(publisher, pump, signals)
    finally:
        reader.stop()
        pump.join(STOP_S)
        publisher.close()
    if pump.failure is not None and not signals.asked:
        raise pump.failure
