"""`python -m monitoring`: the exporter. It asks the broker, the lake, Postgres, Airflow and the disk how they are."""

import signal
import sys
from threading import Event

from freshet import airflow_access
from freshet.errors import FreshetError
from freshet.settings import load_settings
from freshet.telemetry import logs, metrics
from freshet.telemetry.serve import serve_metrics
from monitoring import airflow, disk, kafka, lake, silver, store
from monitoring.watching import Target, watch

RARELY = 3
"""So many times as long is waited between looks at what changes slowly."""


def main() -> None:
    """Run until told to stop."""
    settings = load_settings()
    logs.configure("exporter", settings.log_level)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    serve_metrics(settings.listen_host, settings.exporter_metrics_port, "exporter")
    often, rarely = settings.exporter_interval_s, settings.exporter_interval_s * RARELY
    targets = [
        Target("kafka", kafka.Log(settings).look, often),
        Target("postgres", store.Store(settings).look, often),
        Target("lake", lake.Lake(settings).look, rarely),
        Target("disk", disk.Disk(settings).look, rarely),
    ]
    if airflow_access.shown_url(settings):
        targets.append(Target("airflow", airflow.Upkeep(settings).look, rarely))
    threads = [watch(target, stopping) for target in targets]
    threads.append(silver.follow(settings, stopping))
    metrics.READY.set(1)
    stopping.wait()
    metrics.READY.set(0)


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        sys.exit(f"error: {error}")
