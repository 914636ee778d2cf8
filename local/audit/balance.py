"""Whether the books balance: pure comparison of ledgers."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from local.audit.ledger import Books, Coordinates, Fate

SHOWN = 20


@dataclass(frozen=True)
class Imbalance:
    """A store that holds too little or too much. `ids` are the first of `count`."""

    store: str
    kind: str
    count: int
    ids: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {self.count - len(self.ids)} more" if self.count > len(self.ids) else ""
        return f"{self.store}: {self.count} {self.kind}: {', '.join(self.ids)}{more}"


@dataclass(frozen=True)
class Report:
    """The books: how many of everything, and what does not balance."""

    counts: dict[str, int]
    imbalances: list[Imbalance]

    @property
    def balanced(self) -> bool:
        """Nothing is missing, doubled or unexpected."""
        return not self.imbalances

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        rows = [
            {"store": row.store, "kind": row.kind, "count": row.count, "ids": list(row.ids)} for row in self.imbalances
        ]
        return {"balanced": self.balanced, "counts": self.counts, "imbalances": rows}


def balance(books: Books) -> Report:
    """Compare every store with the one before it."""
    fates = {where: books.fate(where) for where in books.raw}
    imbalances = [
        *_from_the_stream(books),
        *_found("bronze", "missing", {where for where in books.raw if not books.taken_out(where)} - set(books.bronze)),
        *_found("bronze", "unexpected", set(books.bronze) - set(books.raw)),
        *_doubled("bronze", books.bronze),
        *_fates_imbalances(books, fates),
        *_found("gold", "missing", books.belongs_in_gold - books.removed - set(books.gold)),
        *_found("gold", "unexpected", set(books.gold) - books.belongs_in_gold - books.removed),
        *_doubled("gold", books.gold),
        *_topics_imbalances(books),
        *_found("topic wiki.gold", "missing", (set(books.gold) & books.events_in_log) - books.gold_topic),
        *_found("topic wiki.gold", "unexpected", books.gold_topic - set(books.gold) - books.removed),
        *_compare("rejected (dead letters of the producer)", set(books.dead_letter_topic), books.dead_letters),
        *_found("documents", "missing", set(books.gold) - books.removed - set(books.documents)),
        *_found("documents", "unexpected", set(books.documents) - set(books.gold) - books.removed),
        *_found("documents", "removed and still there", set(books.documents) & books.removed),
        *_doubled("documents", books.documents),
        *_found("embeddings", "missing", set(books.documents) - books.embedded - books.pending),
    ]
    return Report(_counts(books, fates), imbalances)


def _fates_imbalances(books: Books, fates: dict[Coordinates, Fate]) -> Iterator[Imbalance]:
    lost = {
        f"{where.partition}:{where.offset} {books.raw[where].event_id}" for where, f in fates.items() if f is Fate.LOST
    }
    yield from _found("silver or rejected", "missing", lost)
    yield from _doubled("silver", books.silver)
    strangers = {key for key, where in books.silver_at.items() if fates.get(where) is not Fate.SILVER}
    yield from _found("silver", "unexpected", strangers)
    yield from _doubled("rejected", books.rejected)
    yield from _found("rejected", "unexpected", set(books.rejected) - set(books.raw))


def _topics_imbalances(books: Books) -> Iterator[Imbalance]:
    """Events and rejected records, each on its topic; what a replay moved since may be on the other."""
    was_rejected, was_silver = books.was_rejected, books.was_silver
    events, rejected = set(books.silver), set(books.rejected)
    moved = {books.silver_at[key] for key in was_rejected}
    yield from _found("topic wiki.silver", "missing", books.events_in_log - books.silver_topic - was_rejected)
    known = events | set(was_silver.values()) | books.removed
    yield from _found("topic wiki.silver", "unexpected", books.silver_topic - known)
    missing = books.rejected_in_log - books.rejected_topic - set(was_silver)
    yield from _found("topic wiki.rejected", "missing", missing)
    unexpected = {where for where in books.rejected_topic - rejected - moved if not books.taken_out(where)}
    yield from _found("topic wiki.rejected", "unexpected", unexpected)


def _from_the_stream(books: Books) -> Iterator[Imbalance]:
    if books.served is None:
        return
    kept = {record.event_id for record in books.raw.values()} | books.removed
    yield from _found("topic wiki.raw", "missing", books.served.events - kept)
    frames = len(set(books.dead_letter_topic.values()))
    if frames < books.served.malformed:
        missing = books.served.malformed - frames
        yield Imbalance("topic wiki.rejected", "missing", missing, ("malformed frames have no id",))


def _compare(store: str, expected: set[Any], held: Counter[Any]) -> Iterator[Imbalance]:
    yield from _found(store, "missing", expected - set(held))
    yield from _found(store, "unexpected", set(held) - expected)
    yield from _doubled(store, held)


def _doubled(store: str, held: Counter[Any]) -> Iterator[Imbalance]:
    yield from _found(store, "doubled", (key for key, count in held.items() if count > 1))


def _found(store: str, kind: str, keys: Iterable[object]) -> Iterator[Imbalance]:
    words = sorted(_words(key) for key in keys)
    if words:
        yield Imbalance(store, kind, len(words), tuple(words[:SHOWN]))


def _words(key: object) -> str:
    return f"{key.partition}:{key.offset}" if isinstance(key, Coordinates) else str(key)


def _counts(books: Books, fates: dict[Coordinates, Fate]) -> dict[str, int]:
    by_fate = Counter(fates.values())
    served = books.served
    from_stream = (
        {"served events": len(served.events), "served canaries": served.canaries, "served malformed": served.malformed}
        if served
        else {}
    )
    return {
        **from_stream,
        "raw": len(books.raw),
        "bronze": books.bronze.total(),
        "silver": books.silver.total(),
        "rejected by the transform": books.rejected.total(),
        "rejected by the producer": len(set(books.dead_letter_topic.values())),
        "canaries in raw": by_fate[Fate.CANARY],
        "duplicates in raw": by_fate[Fate.DUPLICATE],
        "removed": by_fate[Fate.REMOVED],
        "removed and waiting in the lake": len(books.removed & (set(books.silver) | set(books.gold))),
        "gold": books.gold.total(),
        "documents": books.documents.total(),
        "documents with an embedding": len(books.embedded),
        "documents whose embedding is pending": len(books.pending),
    }
