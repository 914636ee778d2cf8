"""The loop of what is heard: which pages were edited, moved and deleted, kept in the store, and said to be done."""

from collections.abc import Iterator, Mapping, Sequence
from threading import Event
from typing import Final, Protocol

from confluent_kafka import Message
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set, wait_exponential

from context.changes import Change, Deleted, Edited, Moved, of_gold, of_silver, target_of
from context.store import Store
from freshet.contract import topics
from freshet.contract.pages import Page
from freshet.errors import DataError, TransientError
from freshet.membership import Member
from freshet.store.context import Seen
from freshet.telemetry import logs, metrics

AT_ONCE: Final = 500
LONGEST_WAIT_S: Final = 5.0

_READERS: Final = {topics.GOLD: of_gold, topics.SILVER: of_silver}


class Raw(Protocol):
    """`wiki.raw`, by place."""

    def read(self, partition: int, offset: int) -> bytes | None:
        """The value of a record; None where the log does not keep it any more. Raises TransientError."""
        ...


def run(source: Member, store: Store, raw: Raw, stop: Event) -> None:
    """Note what is heard until `stop` is set; the batch at hand is finished first, if Postgres is there."""
    while not stop.is_set():
        messages = source.take(AT_ONCE)
        if messages and _until_noted(messages, source, store, raw, stop):
            source.commit(messages)


def _until_noted(messages: Sequence[Message], source: Member, store: Store, raw: Raw, stop: Event) -> bool:
    """Note them, however long Postgres is away. False when stopped before that."""

    def waits(state: RetryCallState) -> None:
        metrics.READY.set(0)
        error = state.outcome.exception() if state.outcome else None
        logs.get().warning("the batch waits", records=len(messages), wait_s=state.upcoming_sleep, error=str(error))

    again = Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_exponential(0.1, max=LONGEST_WAIT_S),
        stop=stop_when_event_set(stop),
        sleep=lambda seconds: source.stay(seconds, stop),
        before_sleep=waits,
        reraise=True,
    )
    try:
        again(note, list(_changes(messages)), store, raw)
    except TransientError:
        return False
    return True


def note(changes: Sequence[Change], store: Store, raw: Raw) -> None:
    """Keep what the changes say. What comes again changes nothing. Raises TransientError.

    Edits go first: which of two topics is ahead does not say what came first.
    """
    edits = [change for change in changes if isinstance(change, Edited)]
    live = _newest(edit for edit in edits if edit.live)
    backfilled = _newest(edit for edit in edits if not edit.live and edit.page not in live)
    if edits:
        known = store.note_seen(live, backfilled)
        metrics.LOOKUPS.labels("known").inc(known)
        metrics.LOOKUPS.labels("unknown").inc(len(live) + len(backfilled) - known)
    for change in changes:
        if isinstance(change, Moved):
            _move(change, store, raw)
        elif isinstance(change, Deleted):
            store.forget(change.page)
            metrics.PAGE_CHANGES.labels("deleted").inc()


def _move(moved: Moved, store: Store, raw: Raw) -> None:
    payload = raw.read(moved.partition, moved.offset)
    if payload is None:
        metrics.PAGE_CHANGES.labels("lost").inc()
        return
    try:
        store.move(moved.page, target_of(payload), moved.event_time)
    except DataError as error:
        metrics.PAGE_CHANGES.labels("lost").inc()
        logs.get().warning("no move", page=moved.page, error=str(error))
        return
    metrics.PAGE_CHANGES.labels("moved").inc()


def _newest(edits: Iterator[Edited]) -> Mapping[Page, Seen]:
    """The newest edit of each page."""
    newest: dict[Page, Seen] = {}
    for edit in edits:
        before = newest.get(edit.page)
        if before is None or before.event_time < edit.event_time:
            newest[edit.page] = Seen(edit.event_time, edit.received_at)
    return newest


def _changes(messages: Sequence[Message]) -> Iterator[Change]:
    for message in messages:
        try:
            change = _READERS[message.topic() or ""](message.value())
        except DataError as error:
            # it is the indexer's to reject it
            where = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
            logs.get().warning("nothing about a page", error=f"{error.reason}: {error}", **where)
            continue
        if change is not None:
            yield change
