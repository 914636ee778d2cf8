"""Damaged events through what reads them in Python: the producer, the indexer, `context`, and the audit."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from context import changes
from freshet.contract import topics
from freshet.contract.rejections import Reason
from freshet.errors import DataError, PermanentError
from indexer.decode import decode
from local.audit.ledger import identify
from producer.classify import classify
from producer.frames import Frame, StreamClosedError, frames
from tests.fuzz.damage import damaged
from tests.fuzz.finding import hold, named

Reader = Callable[[bytes], str]
"""What becomes of a payload, as a word. Raises PermanentError when that is not right."""


def produced(payload: bytes) -> str:
    """What the producer makes of a frame with this data."""
    record = classify(Frame("1", "message", payload), 0, "simulated")
    if record is None:
        return "canary"
    headers = dict(record.headers)
    if record.topic == topics.RAW:
        hold(record.value == payload and record.reason is None, "a raw record has the bytes of its frame", payload)
        hold(identify(payload).event_id is not None, "a raw record has an event id that the audit finds", payload)
        return "raw"
    hold(headers.get(topics.REASON, b"").decode() in set(Reason), "a rejected record has a reason", payload)
    said = bool(headers.get(topics.ERROR)) and payload.startswith(record.value)
    hold(said, "a rejected record says what is wrong and has the payload", payload)
    return str(record.reason)


def indexed(payload: bytes) -> str:
    """What the indexer makes of a value of `wiki.gold`."""
    return _or_reason(lambda: decode(payload, 0), payload)


def noted(payload: bytes) -> str:
    """What `context` makes of a value of `wiki.gold` and of `wiki.silver`."""
    of_gold = _or_reason(lambda: changes.of_gold(payload), payload)
    return f"{of_gold}, {_or_reason(lambda: changes.of_silver(payload), payload)}"


def streamed(payload: bytes) -> str:
    """What frames a stream has that is these bytes: the same ones wherever it is cut."""
    middle = len(payload) // 2
    found = _frames([payload])
    hold(found == _frames([payload[:middle], payload[middle:]]), "frames do not depend on how bytes arrive", payload)
    return f"{min(len(found), 2)} frames"


READERS: Final[Mapping[str, Reader]] = {
    "producer": produced, "stream": streamed, "indexer": indexed, "context": noted
}  # fmt: skip


def run(name: str, seeds: Sequence[bytes], many: int, seed: int) -> Counter[str]:
    """Have a reader read so many damaged payloads. Returns how often each came of it, which adds up to as many.

    Raises PermanentError with the payload when it fails.
    """
    dice, fates = random.Random(seed), Counter[str]()
    reader = READERS[name]
    for _ in range(many):
        payload = damaged(dice, dice.choice(seeds))
        try:
            fates[reader(payload)] += 1
        except PermanentError:
            raise
        except Exception as error:  # whatever it is, it is what is looked for
            raise PermanentError(f"{name}: {error!r} of {named(payload)}") from error
    return fates


def _or_reason(read: Callable[[], object], payload: bytes) -> str:
    try:
        return type(read()).__name__
    except DataError as error:
        hold(error.reason in set(Reason) and bool(str(error)), "an error has a reason and says what is wrong", payload)
        return str(error.reason)


def _frames(chunks: Sequence[bytes]) -> list[Frame]:
    found: list[Frame] = []
    with suppress(StreamClosedError):
        found.extend(frames(chunks))
    return found
