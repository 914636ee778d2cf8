"""What was removed for good, and what of it is still in the lake."""

from typing import Final

from monitoring.grafana.panels import Panel, Query, Row
from monitoring.grafana.promql import rate

REMOVALS: Final = Row(
    "Removals",
    (
        Panel(
            "series",
            "Removed",
            "Documents a second that were taken off the index, or kept out of it, for good.",
            "it is high for minutes: see who deletes so much.",
            "cps",
            (Query(rate('freshet_indexer_documents_total{outcome="removed"}'), "removed"),),
            span=8,
        ),
        Panel(
            "series",
            "Waiting in the lake",
            "Removed events whose rows may still be in the lake. The DAG forget takes them out every hour.",
            "it rises for more than two hours.",
            "short",
            (Query("max(freshet_postgres_removed_waiting_events)", "waiting"),),
            span=8,
            runbook="FreshetRemovalsWaiting",
        ),
        Panel(
            "series",
            "Longest wait",
            "How long ago the first of these was removed.",
            "it is above three hours: they are still read by whoever reads the lake.",
            "s",
            (Query("time() - max(freshet_postgres_removed_since_timestamp_seconds)", "waiting"),),
            span=8,
            runbook="FreshetRemovalsWaiting",
        ),
    ),
)
