"""Airflow and upkeep: freshness checks, scheduled work, compaction, missing vectors, disk, Postgres, alerts."""

from typing import Final

from monitoring.grafana.panels import BREACH, Board, Limits, Panel, Query, Row
from monitoring.grafana.promql import age, rate, rate_or_zero
from monitoring.grafana.removals import REMOVALS

UNCHECKED: Final = "there is none before the first run of check_freshness"
AGES: Final = "source_silence|silver_age|gold_age|searchable_age|lake_age|pending_age|indexer_lag"
NO_RUN: Final = "there is none before a DAG has run"

CHECKS: Final = Row(
    "Freshness checks",
    (
        Panel(
            "states",
            "In breach",
            "Which check was in breach when, as check_freshness judged it by the settings FRESHET_SLA_*.",
            "one is red. What cannot be measured is said once, of the part that does not answer.",
            "short",
            (Query("max by (check) (freshet_sla_breach)", "{{check}}", UNCHECKED),),
            span=12,
            height=10,
            names=BREACH,
            runbook="FreshetSlaBreach",
        ),
        Panel(
            "stat",
            "Last check",
            "How long ago freshness was last checked. It is checked every two minutes.",
            "it is above ten minutes: nobody would tell you of a breach.",
            "s",
            (Query(age("freshet_sla_last_check_timestamp_seconds"), "ago", UNCHECKED),),
            span=4,
            height=10,
            limits=Limits(300, 600),
            without="never",
            runbook="FreshetChecksOverdue",
        ),
        Panel(
            "series",
            "Ages",
            "What the checks of ages measured.",
            "one comes near to its limit.",
            "s",
            (
                Query(f'max by (check) (freshet_sla_value{{check=~"{AGES}"}})', "{{check}}", UNCHECKED),
                Query('3600 * max by (check) (freshet_sla_value{check="compaction_age"})', "{{check}}", UNCHECKED),
            ),
            span=8,
            height=10,
            limits=Limits(60, 300),
        ),
    ),
)

HEARTBEAT: Final = "freshet_airflow_heartbeat_timestamp_seconds"
AIRFLOW: Final = Row(
    "Airflow",
    (
        Panel(
            "series",
            "Last heartbeat",
            "How long ago each part of Airflow said that it lives.",
            "it is above a minute: nothing is scheduled.",
            "s",
            (Query(age(HEARTBEAT, "component"), "{{component}}"),),
            limits=Limits(30, 60),
            runbook="FreshetAirflowSchedulerSilent",
        ),
        Panel(
            "series",
            "Last success",
            "How long ago the latest successful run of each DAG ended.",
            "check_freshness is above ten minutes, compact_gold or backfill_history above two hours.",
            "s",
            (Query(age("freshet_airflow_last_success_timestamp_seconds", "dag_id"), "{{dag_id}}", NO_RUN),),
        ),
        Panel(
            "series",
            "Duration of the last run",
            "How long each DAG's latest ended run took.",
            "one takes longer than the time between its runs.",
            "s",
            (Query("max by (dag_id) (freshet_airflow_last_run_seconds)", "{{dag_id}}", NO_RUN),),
        ),
        Panel(
            "series",
            "Runs at work",
            "Runs that wait or run, by DAG.",
            "queued stays: the scheduler does not get to it.",
            "short",
            (
                Query(
                    'sum by (dag_id, state) (freshet_airflow_dag_runs{state=~"queued|running"})',
                    "{{dag_id}}: {{state}}",
                    NO_RUN,
                ),
            ),
            span=12,
            runbook="FreshetRunOverdue",
        ),
        Panel(
            "series",
            "Runs ended",
            "Runs that Airflow knows, by DAG and how they ended.",
            "failed rises: its log is on Airflow's own page.",
            "short",
            (
                Query(
                    'sum by (dag_id, state) (freshet_airflow_dag_runs{state=~"success|failed"})',
                    "{{dag_id}}: {{state}}",
                    NO_RUN,
                ),
            ),
            span=12,
            runbook="FreshetDagFailing",
        ),
    ),
)

COMPACTION: Final = Row(
    "Compaction and vectors",
    (
        Panel(
            "series",
            "Small files",
            "Files that a compaction would join, by table.",
            "gold rises for hours.",
            "short",
            (Query("max by (layer) (freshet_table_small_files)", "{{layer}}"),),
            span=6,
        ),
        Panel(
            "series",
            "Oldest small file",
            "How long small files wait to be joined.",
            "gold is above six hours.",
            "s",
            (Query(f"clamp_min({age('freshet_table_small_since_timestamp_seconds', 'layer')}, 0)", "{{layer}}"),),
            span=6,
            limits=Limits(3 * 3600, 6 * 3600),
            runbook="FreshetCompactionOverdue",
        ),
        Panel(
            "series",
            "Vectors missing",
            "Texts that are searchable by words only, for now.",
            "it is above a thousand, or stays for an hour: see the embedding, then backfill_embeddings.",
            "short",
            (Query("max(freshet_embeddings_pending)", "pending"),),
            span=4,
            limits=Limits(100, 1_000),
            runbook="FreshetEmbeddingsPending",
        ),
        Panel(
            "series",
            "Embeddings",
            "Texts a second by how their vector was had.",
            "pending leaves 0.",
            "cps",
            (Query(rate("freshet_embeddings_total", "outcome"), "{{outcome}}"),),
            span=4,
        ),
        Panel(
            "states",
            "Model of the searches",
            "The embedding model whose vectors searches use.",
            "it changes and nobody moved.",
            "short",
            (Query("max by (model) (freshet_model_active)", "{{model}}"),),
            span=4,
            names={"1": ("in use", "green"), "0": ("not in use", "text")},
        ),
    ),
)

DISK: Final = "freshet_disk_free_bytes"
STORES: Final = Row(
    "Disk and Postgres",
    (
        Panel(
            "stat",
            "Disk free",
            "Share of the disk that is free where the stack keeps its state.",
            "it is below one in ten.",
            "percentunit",
            (Query(f"min({DISK} / freshet_disk_size_bytes)", "free"),),
            span=4,
            limits=Limits(0.2, 0.1),
            runbook="FreshetDiskFilling",
        ),
        Panel(
            "series",
            "Disk, today and tomorrow",
            "Bytes free, and those of tomorrow if it goes on like the last hour.",
            "tomorrow's is near to 0.",
            "bytes",
            (
                Query(f"min({DISK})", "free"),
                Query(f"min(predict_linear({DISK}[1h], 86400))", "free tomorrow"),
            ),
            span=8,
        ),
        Panel(
            "series",
            "Database",
            "Size of the store's database.",
            "it grows faster than its documents.",
            "bytes",
            (Query("max(freshet_postgres_database_bytes)", "size"),),
            span=4,
        ),
        Panel(
            "series",
            "Documents",
            "Documents in the store, as Postgres estimates.",
            "it stands still while edits come, or falls without a deletion.",
            "short",
            (Query("max(freshet_postgres_documents)", "documents"),),
            span=4,
        ),
        Panel(
            "series",
            "Connections",
            "Share of the connections that Postgres takes.",
            "it is above eight in ten.",
            "percentunit",
            (Query("max(freshet_postgres_connections / freshet_postgres_max_connections)", "used"),),
            span=4,
            limits=Limits(0.6, 0.8),
            runbook="FreshetPostgresConnections",
        ),
    ),
)

WATCHERS: Final = Row(
    "Prometheus and Alertmanager",
    (
        Panel(
            "series",
            "Series",
            "Series that Prometheus holds.",
            "it never stops rising: a label has too many values.",
            "short",
            (Query("sum(prometheus_tsdb_head_series)", "series"),),
        ),
        Panel(
            "series",
            "Rules that failed",
            "Evaluations of rules a second that failed.",
            "it is not 0: an alert cannot fire.",
            "cps",
            (Query(rate_or_zero("prometheus_rule_evaluation_failures_total"), "failed"),),
        ),
        Panel(
            "series",
            "Notifications",
            "Notifications a minute that Alertmanager sent, and those that failed.",
            "failed is not 0: nobody is told.",
            "cpm",
            (
                Query(f"60 * {rate_or_zero('alertmanager_notifications_total')}", "sent"),
                Query(f"60 * {rate_or_zero('alertmanager_notifications_failed_total')}", "failed"),
            ),
        ),
    ),
)

BOARD: Final = Board(
    "freshet-upkeep",
    "Freshet: Airflow and upkeep",
    "Freshness checks, scheduled work, compaction, missing vectors, removals, disk, Postgres, and who watches.",
    (CHECKS, AIRFLOW, COMPACTION, REMOVALS, STORES, WATCHERS),
    since="now-6h",
)
