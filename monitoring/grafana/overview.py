"""Overview: is it fresh, is it keeping up, is it correct, is it answering. One question a row."""

from typing import Final

from monitoring.grafana.answers import ASKED, FAILED, QUIET, REQUESTS
from monitoring.grafana.panels import NORMAL, Board, Limits, Panel, Query, Row
from monitoring.grafana.promql import age, quantile, rate, rate_or_zero, share, total_or_zero

LIVE: Final = "freshet_freshness_seconds", 'stage="received_to_searchable"'
LAG_S: Final = "kafka_consumergroup_group_lag_seconds"

FRESH: Final = Row(
    "Is it fresh?",
    (
        Panel(
            "stat",
            "Received to searchable, p95",
            "How old nineteen of twenty live edits are at most when a search can find them.",
            "it stays above a second: look which stage is slow.",
            "s",
            (Query(quantile(0.95, *LIVE), "p95"),),
            span=4,
            height=5,
            limits=Limits(0.25, 1),
            more="freshet-pipeline",
        ),
        Panel(
            "stat",
            "Last edit received",
            "How long ago the last frame of the event stream came.",
            "it is above two minutes: the source is silent or cannot be reached.",
            "s",
            (Query(age("freshet_producer_last_received_timestamp_seconds"), "ago"),),
            span=4,
            height=5,
            limits=Limits(30, 120),
            more="freshet-pipeline",
            runbook="FreshetNoEventsReceived",
        ),
        Panel(
            "series",
            "Received to searchable",
            "Age of live edits when they become searchable. Edits of a backfill do not count.",
            "p50 rises with the others: all are late. A short peak of p99 alone is the pause between two batches.",
            "s",
            tuple(Query(quantile(at, *LIVE), f"p{at * 100:.0f}") for at in (0.5, 0.95, 0.99)),
            span=16,
            height=5,
            limits=Limits(0.25, 1),
            more="freshet-pipeline",
            runbook="FreshetFreshnessBurnFast",
        ),
    ),
)

KEEPING_UP: Final = Row(
    "Is it keeping up?",
    (
        Panel(
            "stat",
            "Longest wait in the log",
            "How long the oldest record waits for the serve query or the indexer.",
            "it is above a minute: one of them is stuck, or more comes than it can do.",
            "s",
            (Query(f'max({LAG_S}{{group!~".*lake"}})', "longest"),),
            span=4,
            height=5,
            limits=Limits(10, 60),
            more="freshet-pipeline",
            runbook="FreshetLagHigh",
        ),
        Panel(
            "stat",
            "Longest wait for the lake",
            "How long the oldest raw record waits for the lake query, which commits in large batches.",
            "it is above five minutes.",
            "s",
            (Query(f'max({LAG_S}{{group=~".*lake"}})', "longest"),),
            span=4,
            height=5,
            limits=Limits(120, 300),
            more="freshet-pipeline",
            runbook="FreshetLagHigh",
        ),
        Panel(
            "series",
            "Records to do, by group",
            "Records of the log that each reader has still to process.",
            "a line rises and does not come back. The lake's is a saw: it commits in batches.",
            "short",
            (Query("sum by (group) (kafka_consumergroup_group_lag)", "{{group}}"),),
            span=16,
            height=5,
            more="freshet-pipeline",
            runbook="FreshetLagGrowing",
        ),
    ),
)

CORRECT: Final = Row(
    "Is it correct?",
    (
        Panel(
            "stat",
            "Rejected",
            "Share of the received records that went to the dead letter topic.",
            "it is above two in a hundred: the source has changed its format, or a transform is wrong.",
            "percentunit",
            (
                Query(
                    share(rate_or_zero("freshet_rejected_total"), rate("freshet_producer_received_total")), "rejected"
                ),
            ),
            span=3,
            height=5,
            limits=Limits(0.005, 0.02),
            more="freshet-pipeline",
            runbook="FreshetRejectedShareHigh",
        ),
        Panel(
            "stat",
            "Lost",
            "Records that the log let go before a query read them, in the time shown.",
            "it is not 0: replay or backfill what is missing.",
            "short",
            (Query(total_or_zero("freshet_spark_lost_records_total"), "lost"),),
            span=2,
            height=5,
            limits=Limits(1, 1),
            more="freshet-pipeline",
            runbook="FreshetRecordsLost",
        ),
        Panel(
            "stat",
            "Checks in breach",
            "Freshness checks that are in breach, of the last run of check_freshness.",
            "it is not 0, or nothing was ever checked.",
            "short",
            (Query("sum(freshet_sla_breach)", "in breach", "there is none before the first run of check_freshness"),),
            span=3,
            height=5,
            limits=Limits(1, 1),
            more="freshet-upkeep",
            without="not checked yet",
            runbook="FreshetSlaBreach",
        ),
        Panel(
            "series",
            "Raw records that are not in silver",
            "Records a second that were rejected, that silver already had, that are canaries, or that were lost.",
            "rejected or lost leave 0. Duplicates follow a reconnect and a backfill, and are harmless.",
            "cps",
            (
                Query(rate_or_zero("freshet_rejected_total"), "rejected"),
                Query(rate_or_zero("freshet_lake_duplicates_total"), "duplicates"),
                Query(rate_or_zero("freshet_lake_canaries_total"), "canaries"),
                Query(rate_or_zero("freshet_spark_lost_records_total"), "lost"),
            ),
            span=16,
            height=5,
            more="freshet-pipeline",
        ),
    ),
)

ANSWERING: Final = Row(
    "Is it answering?",
    (
        Panel(
            "stat",
            "Failed requests",
            "Share of the API's requests that ended with a status of 500 or more.",
            "it is above one in a hundred.",
            "percentunit",
            (Query(FAILED, "failed"),),
            span=4,
            height=5,
            limits=Limits(0.001, 0.01),
            more="freshet-answers",
            runbook="FreshetApiErrors",
        ),
        Panel(
            "stat",
            "Search, p95",
            "How long nineteen of twenty searches take at most.",
            "it stays above a second.",
            "s",
            (Query(quantile(0.95, REQUESTS, 'route="/v1/search"'), "p95", "nobody may have searched yet"),),
            span=4,
            height=5,
            limits=Limits(0.5, 1),
            more="freshet-answers",
            without="no search yet",
        ),
        Panel(
            "series",
            "Requests, by status",
            "Requests a second that the API answered, without those of probes and scrapes.",
            "5xx appear. 429 says that somebody asks more than is allowed.",
            "reqps",
            (Query(rate(f"{REQUESTS}_count{{{ASKED}}}", "status"), "{{status}}", QUIET),),
            span=16,
            height=5,
            more="freshet-answers",
        ),
    ),
)

PROCESSES: Final = Row(
    "Processes and alerts",
    (
        Panel(
            "stat",
            "Processes away",
            "Processes that Prometheus cannot scrape.",
            "it is not 0.",
            "short",
            (Query("count(up == 0) or vector(0)", "away"),),
            span=4,
            height=6,
            limits=Limits(1, 1),
            runbook="FreshetProcessDown",
            more="freshet-pipeline",
        ),
        Panel(
            "stat",
            "Alerts",
            "Alerts that fire.",
            "it is not 0.",
            "short",
            (Query('count(ALERTS{alertstate="firing"}) or vector(0)', "firing"),),
            span=4,
            height=6,
            limits=Limits(1, 1),
            more="freshet-upkeep",
        ),
        Panel(
            "states",
            "Ready",
            "Whether each process does its work, as it says itself.",
            "one is not ready for longer than its start takes. One that is away has no colour at all.",
            "short",
            (Query("min by (job) (freshet_ready)", "{{job}}"),),
            names=NORMAL,
            height=6,
            more="freshet-pipeline",
        ),
        Panel(
            "states",
            "Alerts over time",
            "When which alert fired.",
            "the same one comes again and again.",
            "short",
            (
                Query(
                    'max by (alertname) (ALERTS{alertstate="firing"})',
                    "{{alertname}}",
                    "nothing fires while all is well",
                ),
            ),
            names={"1": ("firing", "red")},
            height=6,
            more="freshet-upkeep",
        ),
    ),
)

BOARD: Final = Board(
    "freshet-overview",
    "Freshet: overview",
    "Is it fresh, is it keeping up, is it correct, is it answering. The panels lead to the dashboards with more.",
    (FRESH, KEEPING_UP, CORRECT, ANSWERING, PROCESSES),
)
