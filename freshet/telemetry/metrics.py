"""Every metric: name, help, labels and buckets in one place. Base units: seconds and bytes.

A metric's prefix says whose it is; `only` leaves a process those of its own room.
"""

from typing import Final, Literal

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

Room = Literal["producer", "serve", "lake", "indexer", "context", "api", "ui", "exporter"]

PREFIXES: Final[dict[Room, tuple[str, ...]]] = {
    "producer": ("freshet_producer_",),
    "serve": ("freshet_spark_",),
    "lake": ("freshet_spark_", "freshet_lake_"),
    "indexer": ("freshet_indexer_", "freshet_embeddings_"),
    "context": ("freshet_context_",),
    "api": ("freshet_api_", "freshet_sla_"),
    "ui": ("freshet_ui_",),
    "exporter": (
        "kafka_",
        "freshet_exporter_",
        "freshet_table_",
        "freshet_postgres_",
        "freshet_model_",
        "freshet_disk_",
        "freshet_airflow_",
    ),
}

# when each series began would double the page, and nobody asks
disable_created_metrics()  # type: ignore[no-untyped-call]

FRESHNESS_BUCKETS: Final = (0.01, 0.02, 0.03, 0.05, 0.08, 0.14, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)
ANSWER_BUCKETS: Final = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
WORK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

READY: Final = Gauge("freshet_ready", "1 once the process does its work")

# producer
RECEIVED: Final = Counter("freshet_producer_received_total", "Frames received from the event stream", ["source"])
PRODUCED: Final = Counter("freshet_producer_produced_total", "Records acknowledged by the broker", ["topic"])
CANARIES: Final = Counter("freshet_producer_canaries_total", "Canary events, counted and dropped")
REJECTED: Final = Counter("freshet_rejected_total", "Records sent to the dead letter topic", ["stage", "reason"])
CONNECTIONS: Final = Counter("freshet_producer_connections_total", "Connections to the event stream", ["outcome"])
IN_FLIGHT: Final = Gauge("freshet_producer_in_flight_records", "Records sent and not yet acknowledged")
LAST_RECEIVED: Final = Gauge("freshet_producer_last_received_timestamp_seconds", "When the last frame was received")
RESUME_GAPS: Final = Counter(
    "freshet_producer_resume_gaps_total",
    "Times the stream went on later than it was asked to: edits between are missing",
)
RESUME_GAP_SECONDS: Final = Counter(
    "freshet_producer_resume_gap_seconds_total", "Time of the stream that those gaps left out, by the events' own times"
)

# Spark
SPARK_INPUT: Final = Counter("freshet_spark_input_rows_total", "Rows read by a streaming query", ["query"])
SPARK_OUTPUT: Final = Counter("freshet_spark_output_rows_total", "Rows written by a query", ["query", "layer"])
SPARK_RATE: Final = Gauge("freshet_spark_processed_rows_per_second", "Rate of the last progress report", ["query"])
SPARK_PHASE: Final = Gauge("freshet_spark_phase_seconds", "Duration of a phase of the last batch", ["query", "phase"])
SPARK_BATCH: Final = Gauge("freshet_spark_batch_id", "Id of the last batch", ["query"])
SPARK_ACTIVE: Final = Gauge("freshet_spark_query_active", "1 while the query runs", ["query"])
SPARK_LOST: Final = Counter(
    "freshet_spark_lost_records_total", "Records that the log had let go before a query read them", ["query"]
)
SPARK_PROGRESS_TIME: Final = Gauge(
    "freshet_spark_last_progress_timestamp_seconds", "When the last progress report arrived", ["query"]
)
LAKE_COMMIT: Final = Gauge("freshet_lake_last_commit_timestamp_seconds", "When the lake query last committed a batch")
DUPLICATES: Final = Counter("freshet_lake_duplicates_total", "Raw records whose event id silver already had")
LAKE_CANARIES: Final = Counter("freshet_lake_canaries_total", "Canary events found in the raw topic and left out")

# JVM of a Spark process, under the names of the Java client
JVM_MEMORY: Final = "jvm_memory_used_bytes", "Memory that the JVM uses: heap or nonheap"
JVM_MEMORY_MAX: Final = "jvm_memory_max_bytes", "Most memory that the JVM may use: heap or nonheap"
JVM_AFTER_GC: Final = (
    "jvm_memory_pool_collection_used_bytes",
    "Memory of a pool of the heap that was in use after its last collection",
)
JVM_CODE: Final = "jvm_memory_pool_used_bytes", "Memory of a pool of compiled code that is in use"
JVM_CODE_MAX: Final = "jvm_memory_pool_max_bytes", "Most memory that a pool of compiled code may use"
JVM_GC: Final = "jvm_gc_collection_seconds", "Garbage collections and the time they took, by collector"
JVM_THREADS: Final = "jvm_threads_current", "Threads of the JVM"

# indexer
INDEXED: Final = Counter("freshet_indexer_documents_total", "Documents by what became of them", ["outcome"])
INDEX_BATCH: Final = Histogram(
    "freshet_indexer_phase_seconds", "Time of a phase of a batch", ["phase"], buckets=WORK_BUCKETS
)
EMBEDDED: Final = Counter(
    "freshet_embeddings_total", "Texts by how their embedding was had; page: those of pages", ["outcome"]
)
PENDING: Final = Gauge("freshet_embeddings_pending", "Texts that are searchable by words only, for now")
STAGE: Final = Histogram(
    "freshet_freshness_seconds",
    "Age of a document that came live when it reaches a stage: received_to_raw, raw_to_gold, gold_to_searchable, "
    "received_to_searchable, event_to_searchable; received_to_silver is that of an event",
    ["stage"],
    buckets=FRESHNESS_BUCKETS,
)

# context
LOOKUPS: Final = Counter(
    "freshet_context_lookups_total",
    "Pages of edits by whether they need not be asked about: known, unknown",
    ["outcome"],
)
PAGE_CHANGES: Final = Counter(
    "freshet_context_page_changes_total", "Moves and deletions of pages by what became of them", ["outcome"]
)
ASKED: Final = Counter("freshet_context_requests_total", "Requests for descriptions by how they ended", ["outcome"])
DESCRIBED: Final = Counter("freshet_context_pages_total", "Pages asked about by what was answered", ["outcome"])
PAGES_WAITING: Final = Gauge("freshet_context_waiting_pages", "Pages to ask about")
PAGES_WAITING_SECONDS: Final = Gauge(
    "freshet_context_waiting_seconds", "How long the edit waits that has waited longest for what its page is about"
)
PAUSED: Final = Gauge(
    "freshet_context_paused",
    "1 while nothing is asked because so many requests in a row ended like the last",
    ["outcome"],
)
UNTIL_DESCRIBED: Final = Histogram(
    "freshet_context_received_to_described_seconds",
    "Age of a live edit when the page of which nothing was known is described",
    buckets=ANSWER_BUCKETS,
)

# freshness checks: they are short processes, so the API shows what the last one kept
SLA_VALUE: Final = Gauge("freshet_sla_value", "What a freshness check measured, in its own unit", ["check"])
SLA_BREACH: Final = Gauge("freshet_sla_breach", "1 while a freshness check is in breach", ["check"])
SLA_CHECKED: Final = Gauge("freshet_sla_last_check_timestamp_seconds", "When freshness was last checked")

# api
REQUESTS: Final = Histogram(
    "freshet_api_request_seconds", "Time to answer a request", ["route", "method", "status"], buckets=WORK_BUCKETS
)
ANSWERS: Final = Counter("freshet_api_answers_total", "Answers by outcome", ["outcome", "answerer"])
DEGRADED: Final = Counter(
    "freshet_api_answers_degraded_total", "Answers that lack what a part failed to give: model, vector", ["part"]
)
FIRST_TOKEN: Final = Histogram(
    "freshet_api_first_token_seconds",
    "From a question to the first letters of its answer",
    ["answerer"],
    buckets=WORK_BUCKETS,
)
CITATIONS_REMOVED: Final = Counter(
    "freshet_api_citations_removed_total", "Citations of a model that pointed at no source, or twice at one"
)
CLAIMS_DROPPED: Final = Counter("freshet_api_claims_dropped_total", "Claims of a model without a citation that holds")
MODEL_FAILURES: Final = Counter("freshet_api_model_failures_total", "Answers that a model failed to write", ["reason"])
MODEL_TOKENS: Final = Counter("freshet_api_model_tokens_total", "Tokens read and written by a model", ["direction"])
MODEL_COST: Final = Counter("freshet_api_model_cost_usd_total", "Cost of those tokens by the prices that are set, USD")
UNSTORED: Final = Counter("freshet_api_answers_unstored_total", "Answers given that could not be stored")
FEEDBACK: Final = Counter("freshet_api_feedback_total", "Feedback by rating", ["rating"])

# ui
UI_PAGES: Final = Gauge("freshet_ui_pages", "Open pages that follow the live feed")
UI_QUESTIONS: Final = Counter("freshet_ui_questions_total", "Questions asked on a page")
UI_FEED_RECONNECTS: Final = Counter("freshet_ui_feed_reconnects_total", "Times the API's feed had to be opened anew")
UI_ANSWERING: Final = Gauge("freshet_ui_answering", "Answers that pages are waiting for")

# exporter: what no process can say of itself, asked of the broker, the lake, Postgres, Airflow and the disk.
# Those of Kafka have the names that the community's exporters give them.
PARTITION = ["topic", "partition"]
GROUP = ["group", *PARTITION]
EARLIEST: Final = Gauge("kafka_partition_earliest_offset", "First offset that the log still keeps", PARTITION)
LATEST: Final = Gauge("kafka_partition_latest_offset", "Offset that the next record will get", PARTITION)
GROUP_OFFSET: Final = Gauge("kafka_consumergroup_group_offset", "Next offset that a group has to process", GROUP)
LAG: Final = Gauge("kafka_consumergroup_group_lag", "Records that a group has still to process", GROUP)
LAG_SECONDS: Final = Gauge(
    "kafka_consumergroup_group_lag_seconds", "How long the oldest record waits that a group has still to process", GROUP
)
SEEN: Final = Gauge(
    "freshet_exporter_up", "1 when the last look at it succeeded: kafka, lake, postgres, airflow, disk", ["target"]
)
LOOK: Final = Histogram("freshet_exporter_look_seconds", "Time of one look", ["target"], buckets=WORK_BUCKETS)
TABLE_COMMIT: Final = Gauge("freshet_table_commit_timestamp_seconds", "When a table was last committed to", ["layer"])
TABLE_VERSION: Final = Gauge("freshet_table_version", "Version of a table", ["layer"])
TABLE_FILES: Final = Gauge("freshet_table_files", "Data files of a table's newest version", ["layer"])
TABLE_BYTES: Final = Gauge("freshet_table_bytes", "Bytes of those files", ["layer"])
TABLE_SMALL: Final = Gauge("freshet_table_small_files", "Of those the files that a compaction would join", ["layer"])
TABLE_SMALL_SINCE: Final = Gauge(
    "freshet_table_small_since_timestamp_seconds", "When the oldest of these was written; now where there are none",
    ["layer"],
)  # fmt: skip
DATABASE_BYTES: Final = Gauge("freshet_postgres_database_bytes", "Size of the store's database")
DATABASE_CONNECTIONS: Final = Gauge("freshet_postgres_connections", "Connections of clients to Postgres")
DATABASE_MOST: Final = Gauge("freshet_postgres_max_connections", "Most connections that Postgres takes")
DATABASE_DOCUMENTS: Final = Gauge("freshet_postgres_documents", "Documents in the store, as Postgres estimates")
REMOVED_WAITING: Final = Gauge(
    "freshet_postgres_removed_waiting_events", "Events that were removed and may still be in the lake"
)
REMOVED_SINCE: Final = Gauge(
    "freshet_postgres_removed_since_timestamp_seconds", "When the first of these was removed; now where there are none"
)
MODEL_ACTIVE: Final = Gauge("freshet_model_active", "1 for the model whose vectors searches use", ["model"])
DISK_FREE: Final = Gauge("freshet_disk_free_bytes", "Bytes free where the embedded stack keeps its state")
DISK_SIZE: Final = Gauge("freshet_disk_size_bytes", "Size of that disk")
AIRFLOW_HEARTBEAT: Final = Gauge(
    "freshet_airflow_heartbeat_timestamp_seconds", "When a part of Airflow last said that it lives", ["component"]
)
DAG_RUNS: Final = Gauge("freshet_airflow_dag_runs", "Runs that Airflow knows of a DAG", ["dag_id", "state"])
DAG_SUCCESS: Final = Gauge(
    "freshet_airflow_last_success_timestamp_seconds", "When a DAG's latest successful run ended", ["dag_id"]
)
DAG_SECONDS: Final = Gauge("freshet_airflow_last_run_seconds", "How long a DAG's latest ended run took", ["dag_id"])


def only(room: Room) -> None:
    """Take the metrics of all other rooms off this process' page: a zero of what it does not do would be a lie."""
    others = tuple({prefix for prefixes in PREFIXES.values() for prefix in prefixes} - set(PREFIXES[room]))
    for metric in list(globals().values()):
        if isinstance(metric, MetricWrapperBase) and metric._name.startswith(others):
            REGISTRY.unregister(metric)
