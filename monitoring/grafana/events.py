"""Marks on every plot: what was done to the system, and when it began anew.

A run of a DAG shows by when it ended. That moment is compared with the clock, because `changes` misses the first run:
its series begins with it. Grafana looks every 60 s, so what happened within 90 s is seen by one look or two.
"""

from typing import Final

from monitoring.grafana.panels import Event

STEP: Final = "60s"


def _ended(dag_id: str) -> str:
    return f'time() - freshet_airflow_last_success_timestamp_seconds{{dag_id="{dag_id}"}} < 90'


EVENTS: Final = (
    Event("Replays", _ended("replay_offsets"), "A replay ended", "purple"),
    Event("Backfills of history", _ended("backfill_history"), "A backfill of history ended", "blue"),
    Event("Backfills of vectors", _ended("backfill_embeddings"), "A backfill of vectors ended", "super-light-blue"),
    Event("Backfills of context", _ended("backfill_context"), "A backfill of what pages are about ended", "dark-blue"),
    Event("Compactions", _ended("compact_gold"), "A compaction ended", "green"),
    Event(
        "Switches of the model",
        "(freshet_model_active == 1) unless (freshet_model_active offset 90s == 1)"
        " and on () (count(freshet_model_active offset 90s) > 0)",
        "Searches use {{model}}",
        "orange",
    ),
    Event("Starts of processes", "time() - process_start_time_seconds < 90", "{{job}} started", "red"),
)

WHY_EMPTY: Final = "a mark is there only when it has just happened"
