"""Every fault is alerted, and resolved after its repair: by the real Prometheus and Alertmanager.

The stack is that of the tests of upkeep, whose events go on for ever.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import NamedTuple

import psutil
import pytest
from confluent_kafka import Producer

from freshet.contract import topics
from freshet.settings import Settings
from local.trees import told, tree
from tests.e2e.changing import Changed
from tests.observing import Alerts, Drill, Prometheus, ask, drill
from tests.receiver import Receiver
from tests.stacks import Model, Stack, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="no Prometheus: apt-get install prometheus"),
]


@pytest.fixture(scope="module")
def live(changed: Changed) -> Stack:
    return changed.stack


@pytest.fixture(scope="module")
def prometheus(live: Stack) -> Prometheus:
    """After some traffic: questions were answered."""
    prometheus = Prometheus(live)
    eventually(lambda: (prometheus.value("sum(freshet_postgres_documents)") or 0) > 0)
    eventually(lambda: ask(live)["answerer"] == "model")
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


def stand_still(live: Stack, *names: str) -> None:
    told(family(live, *names), psutil.Process.suspend)


def family(live: Stack, *names: str) -> list[psutil.Process]:
    found = [process for name in names if (process := live.process(name))]
    assert len(found) == len(names)
    return [one for process in found for one in tree(process.pid)]


def kill(live: Stack, *names: str) -> None:
    told(family(live, *names), psutil.Process.kill)


def resume(live: Stack, *names: str) -> None:
    told(family(live, *names), psutil.Process.resume)


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


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.words)
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
