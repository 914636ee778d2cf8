"""Pipeline: an edit's way from the source to where it can be found, and the processes on it."""

from typing import Final

from monitoring.grafana.context import CONTEXT
from monitoring.grafana.jobs import INDEXER, JVM, LAKE, REJECTIONS, SPARK
from monitoring.grafana.panels import NORMAL, Board, Limits, Panel, Query, Row
from monitoring.grafana.promql import quantile, rate
from monitoring.grafana.stream import FRESHNESS, KAFKA, PRODUCER

PROCESSES: Final = Row(
    "Processes",
    (
        Panel(
            "series",
            "Processor",
            "Cores that each Python process uses. A Spark process' JVM is a process of its own and not in it.",
            "all together come near to what the machine has.",
            "short",
            (Query(rate("process_cpu_seconds_total", "job"), "{{job}}"),),
            span=6,
        ),
        Panel(
            "series",
            "Memory",
            "Resident memory of each process.",
            "one never stops rising.",
            "bytes",
            (Query("sum by (job) (process_resident_memory_bytes)", "{{job}}"),),
            span=6,
        ),
        Panel(
            "series",
            "Open files",
            "Share of the files that a process may open.",
            "one comes near to 1: it leaks connections.",
            "percentunit",
            (Query("max by (job) (process_open_fds / process_max_fds)", "{{job}}"),),
            span=6,
            limits=Limits(0.5, 0.8),
        ),
        Panel(
            "series",
            "Running since",
            "How long each process has been running. A fall to 0 is a restart.",
            "one restarts again and again.",
            "s",
            (Query("time() - max by (job) (process_start_time_seconds)", "{{job}}"),),
            span=6,
            runbook="FreshetProcessRestarting",
        ),
        Panel(
            "states",
            "What the exporter reaches",
            "Whether the exporter's last look at each of them succeeded.",
            "one is not reached: what the plots above say of it is old or missing.",
            "short",
            (Query("min by (target) (freshet_exporter_up)", "{{target}}"),),
            span=12,
            names=NORMAL,
        ),
        Panel(
            "series",
            "Time of a look, p95",
            "How long the exporter's looks take.",
            "one comes near to the exporter's interval, 5 s.",
            "s",
            (Query(quantile(0.95, "freshet_exporter_look_seconds", by="target"), "{{target}}"),),
            span=12,
            limits=Limits(1, 5),
        ),
    ),
)

BOARD: Final = Board(
    "freshet-pipeline",
    "Freshet: pipeline",
    "From the source to searchable: producer, log, Spark, lake, indexer, what pages are about.",
    (FRESHNESS, PRODUCER, KAFKA, SPARK, JVM, LAKE, INDEXER, CONTEXT, REJECTIONS, PROCESSES),
)
