"""The loop: take what has arrived, make it searchable, say that it is done."""

from collections.abc import Iterator, Sequence
from threading import Event
from time import monotonic

from confluent_kafka import Message

from freshet.errors import DataError, TransientError
from freshet.telemetry import logs, metrics
from indexer.batch import index, reject
from indexer.decode import Change, decode
from indexer.gold import GoldTopic
from indexer.models import Models
from indexer.pending import retry_pending
from indexer.store import Store

CHORES_EVERY_S = 1.0
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0


def run(source: GoldTopic, store: Store, models: Models, most: int, stop: Event) -> None:
    """Index until `stop` is set; the batch at hand is finished first. `most` documents go into one transaction.

    `models` has started.
    """
    chores_at = monotonic()
    while not stop.is_set():
        messages = source.take(most)
        if messages and _until_written(messages, source, store, models, stop):
            with metrics.INDEX_BATCH.labels("commit").time():
                source.commit(messages)
        if monotonic() >= chores_at:
            _chores(source, store, models)
            chores_at = monotonic() + CHORES_EVERY_S


def _until_written(messages: Sequence[Message], source: GoldTopic, store: Store, models: Models, stop: Event) -> bool:
    """Write what the messages say, however long Postgres is away. False when stopped before that."""
    with metrics.INDEX_BATCH.labels("decode").time():
        changes = list(_changes(messages))
    for attempt, wait in enumerate(_waits()):
        try:
            if attempt:
                # it may have failed because a model is gone
                models.refresh()
            if changes:
                index(changes, store, models)
        except TransientError as error:
            metrics.READY.set(0)
            logs.get().warning("the batch waits", documents=len(changes), wait_s=wait, error=str(error))
            source.stay(wait, stop)
            if stop.is_set():
                return False
        else:
            return True
    return False


def _changes(messages: Sequence[Message]) -> Iterator[Change]:
    for message in messages:
        try:
            yield decode(message.value(), message.timestamp()[1])
        except DataError as error:
            where = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
            reject(f"{error.reason}: {error}", **where)


def _chores(source: GoldTopic, store: Store, models: Models) -> None:
    try:
        models.refresh()
        retry_pending(store, models)
    except TransientError as error:
        metrics.READY.set(0)
        logs.get().warning("Postgres is away", error=str(error))
    else:
        metrics.READY.set(1 if source.joined else 0)


def _waits() -> Iterator[float]:
    wait = FIRST_WAIT_S
    while True:
        yield wait
        wait = min(wait * 2, LONGEST_WAIT_S)
