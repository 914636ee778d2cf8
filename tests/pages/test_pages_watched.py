"""The running stack as Prometheus sees it: every expression has data, the lag is true, a fault is alerted."""

import shutil

import httpx
import pytest
from confluent_kafka import TopicPartition
from deltalake import DeltaTable

from freshet import log
from freshet.contract import topics
from freshet.settings import Settings
from monitoring.grafana.expressions import MAY_BE_EMPTY
from tests.observing import AIRFLOW, Alerts, Prometheus, ask, drill, empty, filled, left_over, rules
from tests.receiver import Receiver
from tests.stacks import Model, Stack, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="no Prometheus: apt-get install prometheus"),
]


@pytest.fixture(scope="module")
def prometheus(stack: Stack) -> Prometheus:
    """After some traffic: questions were answered."""
    prometheus = Prometheus(stack)
    eventually(lambda: ask(stack)["answerer"] == "model")
    return prometheus


def test_every_process_is_scraped(prometheus: Prometheus) -> None:
    jobs = {"producer", "serve", "lake", "indexer", "context", "api", "ui", "exporter", "prometheus", "alertmanager"}

    def up() -> set[str]:
        return {one["metric"]["job"] for one in prometheus.query("up == 1")}

    eventually(lambda: up() == jobs)


def test_whatever_dashboards_and_rules_read_is_there(stack: Stack, prometheus: Prometheus) -> None:
    def missing() -> dict[str, str]:
        ask(stack)
        return empty(prometheus, lambda text: AIRFLOW not in text)

    assert not left_over(missing)


def test_every_expression_can_be_evaluated(stack: Stack, prometheus: Prometheus) -> None:
    for text in [*MAY_BE_EMPTY, *(rule["expr"] for rule in rules(stack))]:
        prometheus.query(filled(text))


class Truth:
    """Watermarks and committed offsets of the indexer's topic, asked of the broker."""

    def __init__(self, settings: Settings) -> None:
        self._reader = log.reader(settings, settings.indexer_group)

    def lags(self) -> tuple[dict[int, int], dict[int, int]]:
        """End and committed offset by partition."""
        ends = {number: end for number, (_, end) in log.watermarks(self._reader, topics.GOLD).items()}
        parts = self._reader.committed([TopicPartition(topics.GOLD, number) for number in ends], timeout=20)
        return ends, {part.partition: max(0, part.offset) for part in parts}


def shown(text: str, name: str, group: str, topic: str) -> dict[int, float]:
    """What the exporter's page says of a group, by partition."""
    lines = [line for line in text.splitlines() if line.startswith(f'{name}{{group="{group}"') and topic in line]
    return {int(line.split('partition="')[1].split('"')[0]): float(line.rsplit(" ", 1)[1]) for line in lines}


def metrics_of(stack: Stack) -> str:
    return httpx.get(
        f"http://127.0.0.1:{stack.settings.exporter_metrics_port}/metrics", trust_env=False, timeout=20
    ).text


def test_the_lake_query_notes_on_the_broker_what_it_has_written(stack: Stack) -> None:
    def noted() -> dict[int, float]:
        return shown(metrics_of(stack), "kafka_consumergroup_group_offset", topics.LAKE_GROUP, topics.RAW)

    def written() -> dict[int, float]:
        bronze = DeltaTable(stack.settings.lake.table("bronze")).to_pyarrow_table(columns=["partition", "offset"])
        last = bronze.group_by("partition").aggregate([("offset", "max")]).to_pylist()
        return {row["partition"]: row["offset_max"] + 1 for row in last}

    eventually(lambda: noted() == written())


def test_the_lag_shown_is_the_brokers_truth_while_a_backlog_drains(stack: Stack) -> None:
    def lag() -> dict[int, float]:
        return shown(metrics_of(stack), "kafka_consumergroup_group_lag", stack.settings.indexer_group, topics.GOLD)

    def looks() -> float:
        (line,) = [
            one
            for one in metrics_of(stack).splitlines()
            if one.startswith('freshet_exporter_look_seconds_count{target="kafka')
        ]
        return float(line.rsplit(" ", 1)[1])

    truth, seen = Truth(stack.settings), []
    indexer = stack.process("indexer")
    assert indexer
    indexer.suspend()
    eventually(lambda: sum(lag().values()) > 100)
    for drains in (False, True, True, True):
        if drains:
            indexer.resume()
        ends, committed = truth.lags()
        begun = looks()
        eventually(lambda begun=begun: looks() >= begun + 2)
        lags = lag()
        later_ends, later_committed = truth.lags()
        for number, records in lags.items():
            assert ends[number] - later_committed[number] <= records <= later_ends[number] - committed[number]
        seen.append(sum(lags.values()))
    assert seen[0] > seen[-1]


def test_a_model_that_fails_is_alerted_and_resolved_when_it_answers_again(
    stack: Stack, model: Model, webhook: tuple[Receiver, str]
) -> None:
    drill(Alerts(webhook[0]), "the model is away", ["FreshetModelFailing"], model.end, model.start, lambda: ask(stack))
