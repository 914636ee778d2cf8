"""Rows of the pipeline's dashboard: freshness by stage, the producer, the log."""

from typing import Final

from monitoring.grafana.panels import Limits, Panel, Query, Row
from monitoring.grafana.promql import age, quantile, rate, rate_or_zero, total_or_zero

STAGES: Final = "freshet_freshness_seconds"


def _by_stage(at: float) -> Panel:
    name = f"p{at * 100:.0f}"
    return Panel(
        "series",
        f"Freshness by stage, {name}",
        f"Age of live edits at each stage, {name}: to raw, from there to gold, from there to searchable, and in all.",
        "one stage rises: it is the slow one. event_to_searchable has the source's own delay in it.",
        "s",
        (Query(quantile(at, STAGES, by="stage"), "{{stage}}"),),
        limits=Limits(0.25, 1) if at < 0.99 else None,
    )


def _heatmap(stage: str, title: str, says: str) -> Panel:
    expr = f'sum by (le) (increase({STAGES}_bucket{{stage="{stage}"}}[$__rate_interval]))'
    worry = "the dark band moves up, or a second one appears above it."
    return Panel("heatmap", title, says, worry, "s", (Query(expr, "{{le}}"),), span=12)


FRESHNESS: Final = Row(
    "Freshness",
    (
        _by_stage(0.5),
        _by_stage(0.95),
        _by_stage(0.99),
        _heatmap(
            "received_to_searchable", "Received to searchable", "How many edits became searchable at which age: ours."
        ),
        _heatmap(
            "event_to_searchable",
            "Edit to searchable",
            "The same from the edit itself on: it has the delay of the source in it.",
        ),
    ),
)

PRODUCER: Final = Row(
    "Producer",
    (
        Panel(
            "stat",
            "Last edit received",
            "How long ago the last frame of the event stream came.",
            "it is above two minutes.",
            "s",
            (Query(age("freshet_producer_last_received_timestamp_seconds"), "ago"),),
            span=4,
            limits=Limits(30, 120),
            runbook="FreshetNoEventsReceived",
        ),
        Panel(
            "stat",
            "Gaps after reconnects",
            "Times the stream went on later than it was asked to, in the time shown, and how much of it is missing.",
            "it is not 0: backfill_history fills them.",
            "short",
            (
                Query(total_or_zero("freshet_producer_resume_gaps_total"), "gaps"),
                Query(total_or_zero("freshet_producer_resume_gap_seconds_total"), "seconds missing"),
            ),
            span=4,
            limits=Limits(1, 1),
            runbook="FreshetResumeGap",
        ),
        Panel(
            "series",
            "Received and acknowledged",
            "Frames a second from each source, canaries, and records a second that the broker acknowledged, by topic.",
            "frames come and wiki.raw does not follow.",
            "cps",
            (
                Query(rate("freshet_producer_received_total", "source"), "received: {{source}}"),
                Query(rate("freshet_producer_produced_total", "topic"), "acknowledged: {{topic}}"),
                Query(rate_or_zero("freshet_producer_canaries_total"), "canaries"),
            ),
        ),
        Panel(
            "series",
            "In flight",
            "Records sent that the broker has not acknowledged yet.",
            "it stays high: the broker is slow or away.",
            "short",
            (Query("sum(freshet_producer_in_flight_records)", "in flight"),),
            span=4,
        ),
        Panel(
            "bars",
            "Connections",
            "Connections to the event stream a minute, by how they ended or began.",
            "refused, or opened again and again.",
            "cpm",
            (Query(f"60 * {rate('freshet_producer_connections_total', 'outcome')}", "{{outcome}}"),),
            span=4,
        ),
    ),
)

LAG: Final = "kafka_consumergroup_group_lag"
KAFKA: Final = Row(
    "Kafka",
    (
        Panel(
            "series",
            "Lag in records",
            "Records that each group has still to process, by topic.",
            "a line rises and does not come back.",
            "short",
            (Query(f"sum by (group, topic) ({LAG})", "{{group}}: {{topic}}"),),
            limits=Limits(1_000, 10_000),
            runbook="FreshetLagGrowing",
        ),
        Panel(
            "series",
            "Lag in time",
            "How long the oldest record waits that a group has still to process.",
            "serve or indexer is above a minute, the lake above five.",
            "s",
            (Query(f"max by (group, topic) ({LAG}_seconds)", "{{group}}: {{topic}}"),),
            limits=Limits(60, 300),
            runbook="FreshetLagHigh",
        ),
        Panel(
            "series",
            "Processed, by group",
            "Records a second by which each group moves on.",
            "it is less than what is written, for long.",
            "cps",
            (Query(rate("kafka_consumergroup_group_offset", "group, topic"), "{{group}}: {{topic}}"),),
        ),
        Panel(
            "series",
            "Written, by topic",
            "Records a second that are written to each topic.",
            "wiki.raw falls to 0, or wiki.rejected leaves it.",
            "cps",
            (Query(rate("kafka_partition_latest_offset", "topic"), "{{topic}}"),),
        ),
        Panel(
            "series",
            "Kept, by topic",
            "Offsets that the log still keeps. A replay reaches back as far as that.",
            "it falls at once: the log has let records go.",
            "short",
            (
                Query(
                    "sum by (topic) (kafka_partition_latest_offset) - sum by (topic) (kafka_partition_earliest_offset)",
                    "{{topic}}",
                ),
            ),
        ),
        Panel(
            "series",
            "Most unequal partition",
            "Records to do of the partition with the most, beside the mean of all, by group.",
            "it is far above the mean: one page or one wiki holds a partition up.",
            "short",
            (
                Query(f"max by (group) ({LAG})", "{{group}}: most"),
                Query(f"avg by (group) ({LAG})", "{{group}}: mean"),
            ),
        ),
    ),
)
