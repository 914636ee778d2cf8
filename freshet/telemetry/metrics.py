"""Every metric: name, help, labels and buckets in one place. Base units: seconds and bytes."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

FRESHNESS_BUCKETS: Final = (0.01, 0.02, 0.03, 0.05, 0.08, 0.14, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)
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

# Spark
SPARK_INPUT: Final = Counter("freshet_spark_input_rows_total", "Rows read by a streaming query", ["query"])
SPARK_OUTPUT: Final = Counter("freshet_spark_output_rows_total", "Rows written by a query", ["query", "layer"])
SPARK_RATE: Final = Gauge("freshet_spark_processed_rows_per_second", "Rate of the last progress report", ["query"])
SPARK_PHASE: Final = Gauge("freshet_spark_phase_seconds", "Duration of a phase of the last batch", ["query", "phase"])
SPARK_BATCH: Final = Gauge("freshet_spark_batch_id", "Id of the last batch", ["query"])
SPARK_ACTIVE: Final = Gauge("freshet_spark_query_active", "1 while the query runs", ["query"])
SPARK_LAG: Final = Gauge(
    "freshet_spark_offsets_behind", "Broker's end offset minus the query's offset", ["query", "topic", "partition"]
)
SPARK_PROGRESS_TIME: Final = Gauge(
    "freshet_spark_last_progress_timestamp_seconds", "When the last progress report arrived", ["query"]
)
LAKE_COMMIT: Final = Gauge("freshet_lake_last_commit_timestamp_seconds", "When the lake query last committed a batch")
DUPLICATES: Final = Counter("freshet_lake_duplicates_total", "Raw records whose event id silver already had")
LAKE_CANARIES: Final = Counter("freshet_lake_canaries_total", "Canary events found in the raw topic and left out")

# indexer
LAG: Final = Gauge("kafka_consumergroup_group_lag", "Consumer lag in records", ["group", "topic", "partition"])
INDEXED: Final = Counter("freshet_indexer_documents_total", "Documents by what became of them", ["outcome"])
INDEX_BATCH: Final = Histogram(
    "freshet_indexer_phase_seconds", "Time of a phase of a batch", ["phase"], buckets=WORK_BUCKETS
)
EMBEDDED: Final = Counter("freshet_embeddings_total", "Texts by how their embedding was had", ["outcome"])
PENDING: Final = Gauge("freshet_embeddings_pending", "Texts that are searchable by words only, for now")
STAGE: Final = Histogram(
    "freshet_freshness_seconds",
    "Age of a document that came live when it reaches a stage: received_to_raw, raw_to_gold, gold_to_searchable, "
    "received_to_searchable, event_to_searchable",
    ["stage"],
    buckets=FRESHNESS_BUCKETS,
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
