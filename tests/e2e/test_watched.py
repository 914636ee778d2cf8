"""The running stack as Prometheus sees it: every expression has data, the lag is true, every fault is alerted.

The stack is that of the tests of upkeep, whose events go on for ever.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import psutil
import psycopg
import pytest
from confluent_kafka import Producer, TopicPartition
from deltalake import DeltaTable

from freshet import log
from freshet.contract import topics
from freshet.settings import Settings
from freshet.store import busy
from monitoring.grafana.expressions import MAY_BE_EMPTY, expressions
from tests.e2e.changing import Changed
from tests.e2e.observing import Alerts, Drill, Prometheus, drill, left_over, rules, selectors
from tests.receiver import Receiver
from tests.stacks import Model, Stack, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="no Prometheus: apt-get install prometheus"),
]

ONLY_AFTER_A_FAULT = {
    "freshet_api_model_failures_total": "a model that answers has no failure to count",
    "freshet_producer_resume_gap": "the stream has all that is asked for",
    "freshet_spark_lost_records_total": "the log keeps more than the tests write",
    "freshet_rejected_total": "of a stage that has rejected nothing there is no count",
    "freshet_api_answers_degraded_total": "answers lack nothing",
    'status=~"5..': "no request fails",
}
"""What an alert reads that is only there once something has failed, by a part of the selector; and why."""


@pytest.fixture(scope="module")
def live(changed: Changed) -> Stack:
    return changed.stack


@pytest.fixture(scope="module")
def prometheus(live: Stack) -> Prometheus:
    """After some traffic: questions were answered, the lake has committed, Airflow has run."""
    prometheus = Prometheus(live)
    eventually(lambda: (prometheus.value("sum(freshet_postgres_documents)") or 0) > 0)
    eventually(lambda: ask(live)["answerer"] == "model")
    eventually(lambda: bool(prometheus.query("freshet_airflow_last_success_timestamp_seconds")), 240)
    return prometheus


@pytest.fixture(scope="module")
def drills(request: pytest.FixtureRequest) -> Iterator[list[Drill]]:
    """How long each alert took, printed in the end."""
    done: list[Drill] = []
    yield done
    plugins = request.config.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
    assert reporter
    assert capture
    with capture.global_and_fixture_disabled():
        for one in done:
            fired, resolved = f"fired after {one.fired_s:.1f} s", f"resolved {one.resolved_s:.1f} s after the repair"
            reporter.write_line(f"\n{one.fault}: {one.alert} {fired}, {resolved}")


def ask(live: Stack) -> dict[str, Any]:
    with psycopg.connect(live.settings.conninfo) as store:
        title = busy.busiest(store, language="es")
    url = f"http://127.0.0.1:{live.settings.api_port}"
    httpx.post(f"{url}/v1/search", json={"query": str(title)}, timeout=30, trust_env=False)
    answer = httpx.post(f"{url}/v1/ask", json={"question": f"What changes about {title}?"}, timeout=60, trust_env=False)
    return dict(answer.json())


def test_every_process_is_scraped(prometheus: Prometheus) -> None:
    jobs = {"producer", "serve", "lake", "indexer", "context", "api", "ui", "exporter", "prometheus", "alertmanager"}

    def up() -> set[str]:
        return {one["metric"]["job"] for one in prometheus.query("up == 1")}

    eventually(lambda: up() == jobs)


def test_every_expression_of_the_dashboards_has_data(live: Stack, prometheus: Prometheus) -> None:
    wanted = {
        text.replace("$__rate_interval", "15s").replace("$__interval", "15s").replace("$__range", "1m"): where
        for *where, text in expressions()
        if text not in MAY_BE_EMPTY
    }

    def empty() -> dict[str, list[str]]:
        ask(live)
        return {text: where for text, where in wanted.items() if prometheus.is_empty(text)}

    assert not left_over(empty)
    for text in MAY_BE_EMPTY:
        prometheus.query(text.replace("$__rate_interval", "15s").replace("$__interval", "15s"))


def test_every_rule_is_evaluated_and_what_it_reads_is_there(live: Stack, prometheus: Prometheus) -> None:
    def unread() -> set[str]:
        ask(live)
        return {
            selector
            for rule in rules(live)
            for selector in selectors(rule["expr"])
            if prometheus.is_empty(selector) and not any(part in selector for part in ONLY_AFTER_A_FAULT)
        }

    for rule in rules(live):
        prometheus.query(rule["expr"])
    assert not left_over(unread)
    records = {rule["record"] for rule in rules(live) if "record" in rule}
    assert not {record for record in records if prometheus.is_empty(record)}


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


def page(live: Stack) -> str:
    return httpx.get(
        f"http://127.0.0.1:{live.settings.exporter_metrics_port}/metrics", trust_env=False, timeout=20
    ).text


def test_the_lake_query_notes_on_the_broker_what_it_has_written(live: Stack) -> None:
    def noted() -> dict[int, float]:
        return shown(page(live), "kafka_consumergroup_group_offset", topics.LAKE_GROUP, topics.RAW)

    def written() -> dict[int, float]:
        bronze = DeltaTable(live.settings.lake.table("bronze")).to_pyarrow_table(columns=["partition", "offset"])
        last = bronze.group_by("partition").aggregate([("offset", "max")]).to_pylist()
        return {row["partition"]: row["offset_max"] + 1 for row in last}

    eventually(lambda: noted() == written())


def test_the_lag_shown_is_the_brokers_truth_while_a_backlog_drains(live: Stack) -> None:
    def lag() -> dict[int, float]:
        return shown(page(live), "kafka_consumergroup_group_lag", live.settings.indexer_group, topics.GOLD)

    def looks() -> float:
        (line,) = [
            one
            for one in page(live).splitlines()
            if one.startswith('freshet_exporter_look_seconds_count{target="kafka')
        ]
        return float(line.rsplit(" ", 1)[1])

    truth, seen = Truth(live.settings), []
    indexer = live.process("indexer")
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


def stand_still(live: Stack, *names: str) -> None:
    for process in family(live, *names):
        process.suspend()


def family(live: Stack, *names: str) -> list[psutil.Process]:
    found = [process for name in names if (process := live.process(name))]
    assert len(found) == len(names)
    return [*found, *(child for process in found for child in process.children(recursive=True))]


def kill(live: Stack, *names: str) -> None:
    for process in family(live, *names):
        process.kill()


def resume(live: Stack, *names: str) -> None:
    for process in family(live, *names):
        process.resume()


def flood(settings: Settings) -> None:
    """Events that are none, a tenth of the backlog's worth."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for number in range(2000):
        producer.produce(topics.RAW, b"no event", key=str(number))
    producer.flush(20)


class Fault(NamedTuple):
    """What is broken, the alerts that say so, and how it is made and mended."""

    words: str
    alerts: tuple[str, ...]
    make: Callable[[Stack, Model], None]
    mend: Callable[[Stack, Model], None]
    meanwhile: Callable[[Stack], object] = lambda live: None


FAULTS = [
    Fault(
        "Spark stands still",
        ("FreshetServeStopped", "FreshetLakeStopped"),
        lambda live, _: stand_still(live, "serve", "lake"),
        lambda live, _: kill(live, "serve", "lake"),
    ),
    Fault(
        "the producer stands still",
        ("FreshetNoEventsReceived",),
        lambda live, _: stand_still(live, "producer"),
        lambda live, _: kill(live, "producer"),
    ),
    Fault(
        "Postgres stands still",
        ("FreshetPostgresDown",),
        lambda live, _: stand_still(live, "postgres"),
        lambda live, _: resume(live, "postgres"),
    ),
    Fault(
        "2,000 bad events",
        ("FreshetRejectedShareHigh",),
        lambda live, _: flood(live.settings),
        lambda live, model: None,
    ),
    Fault(
        "the model is away",
        ("FreshetModelFailing",),
        lambda _, model: model.end(),
        lambda _, model: model.start(),
        # who does not ask does not see it fail
        ask,
    ),
]


@pytest.fixture(scope="module")
def alerts(webhook: tuple[Receiver, str]) -> Alerts:
    return Alerts(webhook[0])


@pytest.mark.parametrize(
    "fault",
    [FAULTS[0], *(pytest.param(fault, marks=pytest.mark.long) for fault in FAULTS[1:])],
    ids=lambda fault: fault.words,
)
def test_a_fault_is_alerted_and_resolved_after_the_repair(
    fault: Fault, live: Stack, prometheus: Prometheus, model: Model, alerts: Alerts, drills: list[Drill]
) -> None:
    quiet = f'ALERTS{{alertstate="firing",alertname=~"{"|".join(fault.alerts)}"}}'
    eventually(lambda: prometheus.is_empty(quiet))

    drills += drill(
        alerts,
        fault.words,
        fault.alerts,
        lambda: fault.make(live, model),
        lambda: fault.mend(live, model),
        lambda: fault.meanwhile(live),
    )
