"""The simulated stream: entry(i) is a pure function of seed, index and time, and looks like Wikimedia's own.

The mix is that of a quiet hour at Wikimedia: Wikidata, Commons, categories and logs for the most part, bots in nearly
half of it, some edits by people in many scripts, a few of them undone, and now and then a canary or a broken frame.
"""

import hashlib
import random
import uuid
from typing import Any

from local.eventstreams import shapes
from local.eventstreams.source import Described, Kind, compact

# Shares in the order they are tried; what is left over is a page edit.
MALFORMED, CANARY = 0.002, 0.003
SHAPES = (
    (0.31, shapes.item_edit),
    (0.08, shapes.file_edit),
    (0.19, shapes.categorized),
    (0.05, shapes.logged),
    (0.005, shapes.numbered_type),
)
UNDO_SHARE = 0.06
UNDO_REACH = 40


class Simulation:
    """The endless series of one seed."""

    name = "simulated"
    total = None

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.identity = f"simulated:{seed}"

    def data(self, index: int, timestamp_ms: int) -> bytes:
        """See `entry`."""
        return entry(index, self._seed, timestamp_ms)

    def describe(self, index: int) -> Described:
        """See `describe`."""
        return describe(index, self._seed)


def describe(index: int, seed: int) -> Described:
    """What entry `index` is, without making it."""
    share = _rng(seed, index, "kind").random()
    if share < MALFORMED:
        return Described(Kind.MALFORMED, None)
    return Described(Kind.CANARY if share < MALFORMED + CANARY else Kind.EVENT, _uuid(seed, index, "event"))


def entry(index: int, seed: int, timestamp_ms: int) -> bytes:
    """The `data` of entry `index`, happening at `timestamp_ms`: the same bytes for the same arguments."""
    kind, event_id = describe(index, seed)
    rng = _rng(seed, index, "event")
    event = _change(index, seed)
    meta = {
        "uri": event["title_url"],
        "request_id": _uuid(seed, index, "request"),
        "id": event_id or _uuid(seed, index, "event"),
        "domain": "canary" if kind is Kind.CANARY else event["server_name"],
        "stream": "mediawiki.recentchange",
        "dt": shapes.written_time(timestamp_ms, rng),
        "topic": "eqiad.mediawiki.recentchange",
        "partition": 0,
        "offset": 5_600_000_000 + index,
    }
    event = {"$schema": "/mediawiki/recentchange/1.0.1", "meta": meta, **event, "timestamp": timestamp_ms // 1000}
    if kind is Kind.MALFORMED:
        return _broken(compact(event), rng)
    return compact(shapes.with_oddities(event, rng))


def _change(index: int, seed: int) -> dict[str, Any]:
    rng = _rng(seed, index, "change")
    share = rng.random()
    for part, shape in SHAPES:
        if share < part:
            return shape(index, rng)
        share -= part
    # The choice is drawn before the page, so that whoever is undone can be asked for without asking whom they undo.
    if rng.random() < UNDO_SHARE and (target := _undoable(index, seed)) is not None:
        return shapes.undo(index, rng, target)
    return shapes.page_edit(index, rng)


def _undoable(index: int, seed: int) -> shapes.Edit | None:
    """The last edit before this one that a person made to a page, and that is not itself an undo."""
    for earlier in range(index - 1, max(-1, index - UNDO_REACH), -1):
        rng = _rng(seed, earlier, "change")
        share = rng.random() - sum(part for part, _ in SHAPES)
        if share < 0 or rng.random() < UNDO_SHARE or describe(earlier, seed).kind is not Kind.EVENT:
            continue
        edit = shapes.edit(earlier, rng)
        if not edit.bot:
            return edit
    return None


def _broken(data: bytes, rng: random.Random) -> bytes:
    whole = [b"<html><body>502 Bad Gateway</body></html>", b"undefined", data[: len(data) // 2], data[:-1]]
    return rng.choice(whole)


def _rng(seed: int, index: int, purpose: str) -> random.Random:
    return random.Random(int.from_bytes(_digest(seed, index, purpose)))  # noqa: S311


def _uuid(seed: int, index: int, purpose: str) -> str:
    return str(uuid.UUID(bytes=_digest(seed, index, purpose), version=4))


def _digest(seed: int, index: int, purpose: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{index}:{purpose}".encode(), digest_size=16).digest()
