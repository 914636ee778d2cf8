"""One source of history -> the log: goes on from where it stopped, slowly, and says what it did."""

import time
from dataclasses import dataclass
from threading import Event
from typing import Any

from freshet.contract import topics
from freshet.settings import Settings
from freshet.telemetry import logs
from freshet.upkeep.interval import at, written
from producer.archive import Archive
from producer.pace import Gate, Pace, paced
from producer.past import Past
from producer.publish import Publisher
from producer.pump import POLL_S, Pump, Signals, keep
from producer.resume import Ledger, await_position, timestamps

PROGRESS_EVERY_S = 10.0
STOP_S = 2.0
KINDS = ("read", "sent", "canaries", "rejected")
_NOTHING: dict[str, Any] = {
    **dict.fromkeys(KINDS, 0), "from": None, "to": None, "seconds": 0.0, "waited_seconds": 0.0,
    "resumed": False, "done_before": False, "nothing_more": False, "finished": False,
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """At most `rate` events a second; `again` is whether what was sent before is sent once more."""

    rate: float
    again: bool = False


def look(settings: Settings, source: Past | Archive) -> dict[str, Any]:
    """What `fill` would find, without sending anything. Raises TransientError when there is no broker."""
    kept = await_position(settings, source.key)
    position = kept.sse_id if kept else None
    done = position is not None and source.is_done(position)
    expected = 0 if done else source.expected(position)
    return {
        **_NOTHING,
        **({} if expected is None else {"expected": expected}),
        "resumed": position is not None and not done,
        "done_before": done,
        "finished": done,
    }


def fill(settings: Settings, source: Past | Archive, limits: Limits, signals: Signals) -> dict[str, Any]:
    """Send what is left of a source, until its end or until the end is asked for. Returns the report.

    Raises PermanentError when the stream, the file or the broker is refused for good.
    """
    began = time.monotonic()
    kept = None if limits.again else await_position(settings, source.key)
    position = kept.sse_id if kept else None
    if position is not None and source.is_done(position):
        return {**_NOTHING, "done_before": True, "finished": True}
    ledger, stopping, gate = Ledger(), Event(), Gate(settings)
    publisher = Publisher(settings.bootstrap_servers, source.key, ledger)
    pump = Pump(paced(source.items(position), Pace(limits.rate), gate, stopping), publisher, topics.BACKFILL)
    progress = _Progress(source, pump, position)

    def meanwhile() -> None:
        gate.look()
        source.watch()
        progress.tell()

    logs.get().info("start", source=source.name, rate=limits.rate, position=position)
    gate.look()
    pump.start()
    try:
        keep(publisher, pump, signals, meanwhile)
        if pump.failure is None and (last := source.last_position()):
            publisher.send(last, None)
            while len(ledger) and not signals.asked:
                publisher.poll(POLL_S)
    finally:
        stopping.set()
        source.stop()
        pump.join(STOP_S)
        publisher.close()
    if pump.failure is not None and not signals.asked:
        raise pump.failure
    return {
        **{kind: pump.counts[kind] for kind in KINDS},
        "from": _time(pump.first_id),
        "to": _time(pump.last_id),
        "seconds": round(time.monotonic() - began, 3),
        "waited_seconds": round(gate.waited_s, 3),
        "resumed": position is not None,
        "done_before": False,
        "nothing_more": source.nothing_more,
        "finished": source.nothing_more or (ledger.sse_id is not None and source.is_done(ledger.sse_id)),
    }


class _Progress:
    """A line in the log every now and then."""

    def __init__(self, source: Past | Archive, pump: Pump, position: str | None) -> None:
        self._source, self._pump = source, pump
        self._began = self._told = time.monotonic()
        self._share_before = source.share(position) if position else 0.0

    def tell(self) -> None:
        now = time.monotonic()
        if now - self._told < PROGRESS_EVERY_S or not self._pump.position:
            return
        self._told = now
        took, share = now - self._began, self._source.share(self._pump.position)
        gained = share - self._share_before
        logs.get().info(
            "progress",
            read=self._pump.counts["read"],
            per_second=round(self._pump.counts["read"] / took, 1),
            up_to=_time(self._pump.last_id),
            left_s=round(took * (1 - share) / gained) if gained > 0 else None,
        )


def _time(sse_id: str) -> str | None:
    newest = max(timestamps(sse_id).values(), default=None)
    return None if newest is None else written(at(newest))
