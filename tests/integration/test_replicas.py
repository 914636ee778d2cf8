"""The producer and a log of three brokers, each topic on all of them: two must have what is acknowledged."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message, Producer

from freshet.contract import topics
from freshet.settings import Settings
from local import guard
from local.eventstreams.source import Kind
from local.supervision import run_folder
from tests.brokers import Cluster, three_brokers
from tests.producing import Topic, expected, metric, of_its_own, running, until

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_brokers(tmp_path_factory.mktemp("brokers")) as brokers:
        yield brokers


@pytest.fixture
def mine(cluster: Cluster, tmp_path: Path) -> Settings:
    return of_its_own(cluster.settings, tmp_path).model_copy(update={"rate": 100})


@pytest.fixture
def raw(mine: Settings) -> Iterator[Topic]:
    with closing(Topic(mine, topics.RAW)) as topic:
        yield topic


def test_one_broker_of_three_is_killed_and_every_event_is_there(cluster: Cluster, mine: Settings, raw: Topic) -> None:
    events = set(expected(mine.simulator_seed, Kind.EVENT))
    with running(mine, "local.eventstreams"), running(mine, "producer") as producer:
        until(lambda: bool(raw.ids()))
        process = guard.process_of(run_folder(cluster.settings) / "kafka-2.pid")
        assert process is not None
        process.kill()
        until(lambda: events <= raw.ids())
        assert producer.poll() is None
        assert metric(mine, "freshet_ready") == 1
    assert raw.ids() == events
    cluster.end(2)
    cluster.start(2)


def test_a_broker_that_answers_and_refuses_is_waited_for_and_every_event_is_there(
    cluster: Cluster, mine: Settings, raw: Topic
) -> None:
    events = set(expected(mine.simulator_seed, Kind.EVENT))
    cluster.end(3)
    with running(mine, "local.eventstreams"), running(mine, "producer") as producer:
        until(lambda: bool(raw.ids()))
        cluster.end(2)
        assert refusal(cluster.settings) == KafkaError.NOT_ENOUGH_REPLICAS
        until(lambda: metric(mine, "freshet_ready") == 0)
        assert "the broker takes no records" in (mine.state_dir / "producer.log").read_text()
        assert not events <= raw.ids()
        cluster.start(2)
        until(lambda: events <= raw.ids())
        until(lambda: metric(mine, "freshet_ready") == 1)
        assert producer.poll() is None
    assert raw.ids() == events
    cluster.start(3)


def refusal(settings: Settings) -> int | None:
    """Code of the error with which a record is refused that is sent once; None: it is taken."""
    codes: list[int | None] = []

    def note(error: KafkaError | None, _message: Message) -> None:
        codes.append(error.code() if error else None)

    once = {"bootstrap.servers": settings.bootstrap_servers, "acks": "all", "message.send.max.retries": 0}
    producer = Producer(once)
    producer.produce(topics.REJECTED, b"{}", uuid.uuid4().bytes, on_delivery=note)
    assert producer.flush(30) == 0
    (code,) = codes
    return code
