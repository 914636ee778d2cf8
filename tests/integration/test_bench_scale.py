"""The measurement of the stages, in small, that need no JVM but the broker's."""

import json
from itertools import islice
from pathlib import Path

import pytest
from confluent_kafka import Producer

from freshet.contract import topics
from freshet.settings import Settings, Source
from local.bench import backlog, material, scale
from local.bench.temporary import temporary_stack
from local.stack import ENGINES
from tests.documents import gold

pytestmark = pytest.mark.integration

EVENTS = 400
DOCUMENTS = 40


def test_indexers_share_the_partitions_and_their_cpu_is_counted(settings: Settings, postgres: str) -> None:
    assert postgres == settings.conninfo
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for number in range(DOCUMENTS):
        value = json.dumps(gold(), default=lambda moment: moment.isoformat()).encode()
        producer.produce(topics.GOLD, value, partition=number % settings.kafka_partitions)
    assert producer.flush(30) == 0
    result = backlog.index(settings, DOCUMENTS // 2, print, indexers=2)
    assert result["documents"] >= DOCUMENTS // 2
    assert result["indexers"] == 2
    assert result["cpu_seconds"].keys() == {"indexer"}


def test_a_stage_is_followed_on_a_stack_with_as_many_partitions_as_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    scale._write(file, islice(material.events(None), EVENTS))
    given = {"source": Source.RECORDING, "recording": file, "rate": 0, "kafka_partitions": 2,
             "airflow": False, "monitoring": False}  # fmt: skip
    with temporary_stack(lambda _: None, only=(*ENGINES, *scale.HELD), hold=scale.HELD, overrides=given) as settings:
        bench = scale._Bench(settings, scale.Asked([2], [1], EVENTS, DOCUMENTS), print)
        measured = bench._produce(EVENTS)
        bench._note("raw", EVENTS)
    assert (measured.stage, measured.partitions) == ("producer", 2)
    assert 0 < measured.units <= EVENTS
    assert measured.cpu_seconds.keys() == {"producer", "kafka", "eventstreams"}
    assert bench.sizes["log_bytes_per_event"]["raw"] > 50
