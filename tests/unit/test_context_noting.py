"""The loop of what is heard, by a topic and a store that are no more than lists."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, cast

from confluent_kafka import Message

from context.changes import Deleted, Edited, Moved
from context.noting import note, run
from context.store import Store
from freshet.contract import topics
from freshet.contract.pages import Page
from freshet.errors import TransientError
from freshet.membership import Member
from freshet.store.context import Seen
from tests.documents import gold

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ETNA, FUJI = Page("itwiki", "Etna"), Page("jawiki", "富士山")


class Record:
    """One of `wiki.gold`."""

    def topic(self) -> str:
        return topics.GOLD

    def value(self) -> bytes:
        row = gold(wiki=ETNA.wiki, title=ETNA.title)
        return json.dumps(row, default=lambda moment: moment.isoformat()).encode()


@dataclass
class Kept:
    """What was kept, in order; the first so many times the store is away."""

    away: int = 0
    did: list[Any] = field(default_factory=list)

    def note_seen(self, live: Mapping[Page, Seen], backfilled: Mapping[Page, Seen]) -> int:
        if self.away:
            self.away -= 1
            raise TransientError("Postgres is away")
        self.did.append((dict(live), dict(backfilled)))
        return 0

    def move(self, page: Page, title: str, event_time: datetime) -> None:
        self.did.append((page, title))

    def forget(self, page: Page) -> None:
        self.did.append(page)


class Raw:
    """Two raw records, one of which is no move."""

    def read(self, partition: int, offset: int) -> bytes | None:
        return {7: b'{"log_params": {"target": "Etna 2"}}', 8: b"{"}.get(offset)


@dataclass
class Topic:
    """One batch; then it is time to stop. With `stops_in_vain` it is so as soon as somebody waits."""

    stop: Event
    stops_in_vain: bool = False
    committed: int = 0
    waited: int = 0
    taken: bool = False

    def take(self, _: int) -> Sequence[Message]:
        if self.taken:
            self.stop.set()
            return []
        self.taken = True
        return [cast(Message, Record())]

    def commit(self, messages: Sequence[Message]) -> None:
        self.committed += len(messages)

    def stay(self, _: float, stop: Event) -> None:
        self.waited += 1
        if self.stops_in_vain:
            stop.set()


def heard(store: Kept, *, stops_in_vain: bool = False) -> Topic:
    stop = Event()
    topic = Topic(stop, stops_in_vain)
    run(cast(Member, topic), cast(Store, store), Raw(), stop)
    return topic


def test_a_batch_waits_for_postgres_and_is_committed_when_it_is_kept() -> None:
    store = Kept(away=3)
    topic = heard(store)
    assert (topic.waited, topic.committed, len(store.did)) == (3, 1, 1)


def test_what_was_not_kept_is_not_committed() -> None:
    store = Kept(away=1000)
    assert heard(store, stops_in_vain=True).committed == 0
    assert store.did == []


def test_of_a_page_the_newest_edit_counts_and_a_live_one_before_one_of_a_backfill() -> None:
    store = Kept()
    edits = [
        Edited(ETNA, LATER, LATER, True),
        Edited(ETNA, NOW, NOW, True),
        Edited(ETNA, NOW, NOW, False),
        Edited(FUJI, NOW, LATER, False),
    ]
    note(edits, cast(Store, store), Raw())
    assert store.did == [({ETNA: Seen(LATER, LATER)}, {FUJI: Seen(NOW, LATER)})]


def test_edits_are_noted_before_moves_and_deletions_which_keep_their_order() -> None:
    store = Kept()
    changes = [Moved(ETNA, NOW, 0, 7), Deleted(ETNA), Edited(ETNA, NOW, NOW, True), Deleted(FUJI)]
    note(changes, cast(Store, store), Raw())
    assert store.did[1:] == [(ETNA, "Etna 2"), ETNA, FUJI]


def test_a_move_whose_raw_record_is_gone_or_tells_no_title_is_left_out() -> None:
    store = Kept()
    note([Moved(ETNA, NOW, 0, 8), Moved(ETNA, NOW, 0, 9)], cast(Store, store), Raw())
    assert store.did == []
