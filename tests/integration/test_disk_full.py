"""A disk that is full: what is on it refuses, loses nothing that it took, and goes on by itself when there is room."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Producer

import freshet.log
from freshet.contract import topics
from freshet.environment import environment_of
from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.store.migrate import migrate
from indexer.batch import index
from indexer.decode import decode
from indexer.store import Store
from local import broker, launch, overview, postgres, supervisor
from tests.conftest import free_settings, running, until_led
from tests.documents import gold
from tests.indexer_builders import TextEmbedder, models_of
from tests.indexing import as_value, eventually
from tests.small_disk import fill, full, small_disk

pytestmark = pytest.mark.integration

RECORDS = 400
RECORD = b"x" * 50_000


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk(200) as folder:
        yield folder


def test_postgres_refuses_a_batch_whole_and_takes_it_when_there_is_room(disk: Path) -> None:
    settings = free_settings(disk)
    postgres.prepare(settings)
    changes = [decode(as_value(gold(text=f"text {number} " * 200)), 0) for number in range(200)]
    with running(postgres.declare(settings), settings):
        migrate(settings.conninfo)
        store = Store(settings.conninfo)
        models = models_of(store, TextEmbedder())
        with full(disk), pytest.raises(TransientError, match="No space left on device"):
            index(changes, store, models)
        index(changes, store, models)
        store.close()
        with psycopg.connect(settings.conninfo) as connection:
            assert connection.execute("SELECT count(*) FROM documents").fetchone() == (len(changes),)


def test_a_broker_that_a_full_disk_has_ended_is_started_again_and_has_all_that_it_acknowledged(disk: Path) -> None:
    settings = free_settings(disk, kafka_partitions=1)
    broker.prepare(settings)
    control = supervisor.launch(settings, [broker.declare(settings)], environment_of(settings), detach=True)
    filler = disk / "filler"
    try:
        control.start("kafka")
        eventually(broker.declare(settings).ready)
        freshet.log.ensure_topics(settings)
        until_led(settings)
        producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "enable.idempotence": True})
        fill(filler)
        for _ in range(RECORDS):
            producer.produce(topics.RAW, RECORD, partition=0)
        eventually(lambda: waits(settings))
        assert producer.flush(1) > 0
        assert overview._disk(settings)
        filler.unlink()
        assert overview._disk(settings) == {}
        eventually(broker.declare(settings).ready)
        assert producer.flush(60) == 0
        assert end_of(settings) == RECORDS
        assert "FATAL" not in {state.state for state in control.states().values()}
    finally:
        filler.unlink(missing_ok=True)
        launch.down(settings)


def waits(settings: Settings) -> bool:
    """Whether the guard has been there for so long that the supervisor takes it for started."""
    state = supervisor.Supervisor(settings).states()["kafka"]
    return state.state == "RUNNING" and state.pid is not None and "local.guard" in psutil.Process(state.pid).cmdline()


def end_of(settings: Settings) -> int:
    reader = freshet.log.reader(settings)
    try:
        return freshet.log.watermarks(reader, topics.RAW)[0][1]
    finally:
        reader.close()
