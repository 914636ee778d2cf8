"""The embedded stack: which processes, in which order. A part that a setting points elsewhere is left out."""

import sys
from dataclasses import replace

from freshet import airflow_access
from freshet.context_source import needs_stand_in, url_of
from freshet.instances import api_ports, indexer_ports
from freshet.settings import CHECKOUT, PREFIX, Settings, Source
from freshet.spark import is_cluster
from local import broker, cluster, monitoring, postgres, readiness
from local.process import Process


def declare(settings: Settings) -> list[Process]:
    """The processes of the stack for these settings; `prepare` must have run."""
    engines = _engines(settings)
    started = tuple(process.name for process in engines)
    spark = cluster.declare(settings)
    submitted = (*started, *(process.name for process in spark))
    source = [] if settings.source is Source.LIVE else [_room("eventstreams", settings.eventstreams_port)]
    describing = [_room("wikidata", settings.wikidata_port)] if needs_stand_in(settings) else []
    # the stream is read once there is somebody to pass it on to, so that a start leaves no backlog
    readers = ("serve", "indexer")
    return [
        *engines,
        *spark,
        *source,
        *describing,
        _room("producer", settings.producer_metrics_port, after=(*(process.name for process in source), *readers)),
        _spark_room("serve", settings, settings.serve_metrics_port, submitted),
        # its batches are bursts of work for which nobody waits
        replace(_spark_room("lake", settings, settings.lake_metrics_port, submitted), niceness=LAKE_NICENESS),
        *_indexers(settings, started),
        *_apis(settings, started),
        _room("ui", settings.ui_port, after=("api",)),
        *_context(settings, (*started, *(process.name for process in describing))),
        *(_airflow(settings) if airflow_access.embedded(settings) else ()),
        *(_monitoring(settings, started) if settings.monitoring else ()),
    ]


def prepare(settings: Settings) -> None:
    """Make the folders, configurations and clusters of the embedded engines."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    if not settings.kafka_bootstrap_servers:
        broker.prepare(settings)
    if not settings.postgres_dsn.get_secret_value():
        postgres.prepare(settings)
    if settings.monitoring:
        monitoring.prepare(settings, scraped(settings))


ENGINES = ("kafka", "postgres")
"""What must work before the log and the store can be prepared for the rooms."""


def ends_last(name: str) -> bool:
    """Whether other processes need this one until they have ended."""
    return name in ENGINES or name.startswith("spark-")


COMMANDS = {
    "eventstreams": ("local.eventstreams",),
    "exporter": ("monitoring",),
    "wikidata": ("local.wikidata",),
    "serve": ("spark_jobs.stream", "serve"),
    "lake": ("spark_jobs.stream", "lake"),
}
"""Modules and arguments of the processes that are not called as their module."""

SUBMITTED = {"serve": ("spark_jobs.submit", "serve"), "lake": ("spark_jobs.submit", "lake")}
"""The same where Spark is a cluster."""

SERVERS = ("api", "eventstreams", "ui", "wikidata")
"""Processes whose one port is what they are for."""

AIRFLOW = {"api-server": "metadatabase", "scheduler": "scheduler", "dag-processor": "dag_processor"}
"""Components, and what Airflow's own health report calls them."""

STORE_USERS = ("indexer", "context", "api", "exporter")
"""Rooms that keep a connection to the store; Airflow's processes do as well."""

LAKE_NICENESS = 5
"""What is live goes before it, and it before upkeep: at 15 it made no batch in minutes where the machine was full."""

UPKEEP_NICENESS = 10
"""Of Airflow, of the jobs that it starts, of what describes pages and of what watches: what is live goes first."""


def scraped(settings: Settings) -> dict[str, list[int]]:
    """Ports of the metrics of the processes that Prometheus scrapes, by their job."""
    return {
        "producer": [settings.producer_metrics_port],
        "serve": [settings.serve_metrics_port],
        "lake": [settings.lake_metrics_port],
        "indexer": list(indexer_ports(settings).values()),
        **({"context": [settings.context_metrics_port]} if url_of(settings) else {}),
        "api": list(api_ports(settings).values()),
        "ui": [settings.ui_port],
        "exporter": [settings.exporter_metrics_port],
        "prometheus": [settings.prometheus_port],
        "alertmanager": [settings.alertmanager_port],
    }


def uses_store(name: str) -> bool:
    """Whether a process has the store's password."""
    return name in STORE_USERS or name.startswith("airflow-")


def _engines(settings: Settings) -> list[Process]:
    kafka = [] if settings.kafka_bootstrap_servers else [broker.declare(settings)]
    store = [] if settings.postgres_dsn.get_secret_value() else [postgres.declare(settings)]
    return [*kafka, *store]


def _airflow(settings: Settings) -> list[Process]:
    return [
        Process(
            name=f"airflow-{component}",
            command=(sys.executable, "-m", "local.airflow", component),
            ready=readiness.airflow(settings.airflow_port, part),
            ports={"AIRFLOW_PORT": settings.airflow_port} if component == "api-server" else {},
            stop_seconds=30,
            folder=CHECKOUT,
            niceness=UPKEEP_NICENESS,
            awaited=False,
        )
        for component, part in AIRFLOW.items()
    ]


def _spark_room(name: str, settings: Settings, port: int, after: tuple[str, ...]) -> Process:
    # a JVM needs its time to leave
    room = _room(name, port, after=after, stop_seconds=40, start_seconds=30)
    if not is_cluster(settings):
        return room
    return replace(room, command=(sys.executable, "-m", *SUBMITTED[name]))


def _indexers(settings: Settings, started: tuple[str, ...]) -> list[Process]:
    ports = indexer_ports(settings)
    return [
        replace(
            _room("indexer", port, after=started),
            name=name,
            ports={"INDEXER_METRICS_PORT" if name == "indexer" else "MORE_INDEXERS_METRICS_PORT": port},
            environment={f"{PREFIX}INDEXER_METRICS_PORT": str(port)},
        )
        for name, port in ports.items()
    ]


def _context(settings: Settings, started: tuple[str, ...]) -> list[Process]:
    if url_of(settings) is None:
        return []
    context = _room("context", settings.context_metrics_port, after=started, niceness=UPKEEP_NICENESS)
    # edits are found without it
    return [replace(context, awaited=False)]


def _apis(settings: Settings, started: tuple[str, ...]) -> list[Process]:
    # it finishes the answers that are being written
    api = _room("api", settings.api_port, after=started, stop_seconds=int(settings.answer_timeout_s) + 15)
    if settings.api_workers == 1:
        return [api]
    return [
        replace(
            api,
            name=name,
            ready=readiness.http(port),
            ports={"API_WORKERS_PORT": port, **(api.ports if name == "api" else {})},
            environment={f"{PREFIX}API_ALSO_AT": str(port)},
        )
        for name, port in api_ports(settings).items()
    ]


def _monitoring(settings: Settings, started: tuple[str, ...]) -> list[Process]:
    exporter = _room("exporter", settings.exporter_metrics_port, after=started, niceness=UPKEEP_NICENESS)
    return [exporter, *monitoring.declare(settings, UPKEEP_NICENESS)]


def _room(
    name: str,
    port: int,
    *,
    after: tuple[str, ...] = (),
    stop_seconds: int = 20,
    start_seconds: int = 15,
    niceness: int = 0,
) -> Process:
    setting = f"{name.upper()}_PORT" if name in SERVERS else f"{name.upper()}_METRICS_PORT"
    return Process(
        name=name,
        command=(sys.executable, "-m", *COMMANDS.get(name, (name,))),
        ready=readiness.http(port),
        after=after,
        ports={setting: port},
        stop_seconds=stop_seconds,
        start_seconds=start_seconds,
        folder=CHECKOUT,
        niceness=niceness,
    )
