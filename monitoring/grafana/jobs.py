"""Rows of the pipeline's dashboard: Spark and its JVMs, the lake's tables, the indexer."""

from typing import Final

from monitoring.grafana.panels import NORMAL, Limits, Panel, Query, Row
from monitoring.grafana.promql import BATCHES, age, mean, quantile, rate, rate_or_zero, total_or_zero

NO_COMMIT: Final = "there is none before the lake query's first commit"

SPARK: Final = Row(
    "Spark",
    (
        Panel(
            "states",
            "Queries that run",
            "Whether each streaming query runs, as Spark itself says.",
            "one does not.",
            "short",
            (Query("max by (query) (freshet_spark_query_active)", "{{query}}"),),
            span=8,
            height=6,
            names=NORMAL,
            runbook="FreshetServeStopped",
        ),
        Panel(
            "stat",
            "Last progress",
            "How long ago each query last reported, busy or idle.",
            "serve is above six minutes, where a batch lasts five, or lake above two: the query hangs.",
            "s",
            (Query(age("freshet_spark_last_progress_timestamp_seconds", "query"), "{{query}}"),),
            span=8,
            height=6,
            limits=Limits(120, 360),
        ),
        Panel(
            "stat",
            "Lost",
            "Records that the log let go before a query read them, in the time shown.",
            "it is not 0.",
            "short",
            (Query(total_or_zero("freshet_spark_lost_records_total"), "lost"),),
            span=4,
            height=6,
            limits=Limits(1, 1),
            runbook="FreshetRecordsLost",
        ),
        Panel(
            "series",
            "Batches",
            "Batches a minute, in the last 15 minutes: serve makes one in five minutes.",
            "a line falls to 0 while records come.",
            "cpm",
            (Query(f"60 * clamp_min(max by (query) (deriv(freshet_spark_batch_id{BATCHES})), 0)", "{{query}}"),),
            span=4,
            height=6,
        ),
        Panel(
            "series",
            "Rows read",
            "Rows a second that each query read in 15 minutes, and the rate that its last report says it can do.",
            "what it reads comes near to what it can do.",
            "rowsps",
            (
                Query(f"sum by (query) (rate(freshet_spark_input_rows_total{BATCHES}))", "{{query}}: read"),
                Query("max by (query) (freshet_spark_processed_rows_per_second)", "{{query}}: can do"),
            ),
        ),
        Panel(
            "series",
            "Rows written",
            "Rows a second that the lake query wrote into each table.",
            "bronze rises and silver does not follow.",
            "rowsps",
            (Query(rate("freshet_spark_output_rows_total", "query, layer"), "{{query}}: {{layer}}", NO_COMMIT),),
        ),
        Panel(
            "stacked",
            "Phases of the last batch",
            "How long each phase of a query's last batch took. triggerExecution is the whole of it and left out.",
            "one phase grows: addBatch is the work itself, walCommit the disk, latestOffset the broker.",
            "s",
            (
                Query(
                    'max by (query, phase) (freshet_spark_phase_seconds{phase!="triggerExecution"})',
                    "{{query}}: {{phase}}",
                ),
            ),
        ),
    ),
)

JVM: Final = Row(
    "Spark's JVMs",
    (
        Panel(
            "series",
            "Heap",
            "Heap that each JVM uses, what of it was in use after the last collections, and the most it may use.",
            "what is in use after collections rises towards the most.",
            "bytes",
            (
                Query("sum by (job) (jvm_memory_pool_collection_used_bytes)", "{{job}}: after collections"),
                Query('sum by (job) (jvm_memory_used_bytes{area="heap"})', "{{job}}"),
                Query('sum by (job) (jvm_memory_max_bytes{area="heap"} > 0)', "{{job}}: most"),
            ),
            span=6,
        ),
        Panel(
            "series",
            "Outside the heap",
            "Memory of the JVM for classes and compiled code.",
            "it never stops rising.",
            "bytes",
            (Query('sum by (job) (jvm_memory_used_bytes{area="nonheap"})', "{{job}}"),),
            span=6,
        ),
        Panel(
            "series",
            "Compiled code",
            "How full the room for compiled code is, of each pool of it.",
            "it is near 1: the JVM throws code away and compiles it again.",
            "percentunit",
            (
                Query(
                    "max by (job, pool) (jvm_memory_pool_used_bytes / jvm_memory_pool_max_bytes)", "{{job}}: {{pool}}"
                ),
            ),
            span=4,
            limits=Limits(0.8, 0.9),
        ),
        Panel(
            "series",
            "Time in garbage collection",
            "Share of the time that collections take, by collector.",
            "it is above one in ten: the heap is too small.",
            "percentunit",
            (Query(rate("jvm_gc_collection_seconds_sum", "job, gc"), "{{job}}: {{gc}}"),),
            span=4,
            limits=Limits(0.05, 0.1),
        ),
        Panel(
            "series",
            "Threads",
            "Threads of each JVM.",
            "it never stops rising.",
            "short",
            (Query("sum by (job) (jvm_threads_current)", "{{job}}"),),
            span=4,
        ),
    ),
)

LAKE: Final = Row(
    "Lake",
    (
        Panel(
            "series",
            "Last commit",
            "How long ago each table was committed to, and the lake query ended a batch.",
            "all are above five minutes while edits come. rejected may be old: nothing was rejected.",
            "s",
            (
                Query(age("freshet_table_commit_timestamp_seconds", "layer"), "{{layer}}"),
                Query(age("freshet_lake_last_commit_timestamp_seconds"), "lake query", NO_COMMIT),
            ),
            limits=Limits(120, 300),
            runbook="FreshetLakeStopped",
        ),
        Panel(
            "series",
            "Files",
            "Data files of each table's newest version.",
            "it rises all day: compaction does not keep up.",
            "short",
            (Query("max by (layer) (freshet_table_files)", "{{layer}}"),),
        ),
        Panel(
            "series",
            "Bytes",
            "Bytes of those files.",
            "the disk is too small for this pace.",
            "bytes",
            (Query("max by (layer) (freshet_table_bytes)", "{{layer}}"),),
        ),
        Panel(
            "series",
            "Versions",
            "Versions a minute of each table.",
            "it falls to 0 while edits come.",
            "cpm",
            (Query("60 * clamp_min(max by (layer) (deriv(freshet_table_version[$__rate_interval])), 0)", "{{layer}}"),),
            span=12,
        ),
        Panel(
            "series",
            "Duplicates and canaries",
            "Raw records a second whose event silver already had, and canaries in the raw topic.",
            "duplicates stay when no backfill and no reconnect explains them.",
            "cps",
            (
                Query(rate_or_zero("freshet_lake_duplicates_total"), "duplicates"),
                Query(rate_or_zero("freshet_lake_canaries_total"), "canaries"),
            ),
            span=12,
        ),
    ),
)

PHASES: Final = "freshet_indexer_phase_seconds"
INDEXER: Final = Row(
    "Indexer",
    (
        Panel(
            "series",
            "Documents, by what became of them",
            "Documents a second that were inserted, changed, unchanged, deleted or rejected.",
            "rejected leaves 0, or unchanged is most of it outside a replay.",
            "cps",
            (Query(rate("freshet_indexer_documents_total", "outcome"), "{{outcome}}"),),
        ),
        Panel(
            "series",
            "Phases of a batch, p95",
            "How long nineteen of twenty batches spend in each phase at most.",
            "embed grows with the length of the texts or the load of the machine, upsert with Postgres.",
            "s",
            (Query(quantile(0.95, PHASES, by="phase"), "{{phase}}"),),
        ),
        Panel(
            "stacked",
            "Phases of a batch, mean",
            "The mean time of each phase, one upon the other: where a batch spends its time.",
            "the sum comes near to the pause between two batches.",
            "s",
            (Query(mean(PHASES, "phase"), "{{phase}}"),),
        ),
    ),
)

REJECTIONS: Final = Row(
    "Rejected",
    (
        Panel(
            "bars",
            "Rejected, by stage and reason",
            "Records a second that went to the dead letter topic, by who rejected them and why.",
            "one reason appears and stays.",
            "cps",
            (
                Query(
                    rate("freshet_rejected_total", "stage, reason"),
                    "{{stage}}: {{reason}}",
                    "a healthy stream may have none to reject",
                ),
            ),
            span=24,
            runbook="FreshetRejectedShareHigh",
        ),
    ),
)
