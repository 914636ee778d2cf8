"""
# backfill_history

"The producer was down", or history is wanted: reads the event stream from `since` until `until`, or NDJSON archives,
into `wiki.raw` again, with `backfill` as the source. It reads at `FRESHET_BACKFILL_RATE` and waits while the indexer is
behind, so that live edits stay fresh. What is there already is recognised by its event id downstream.

Every hour it looks for gaps: minutes of the last `FRESHET_GAP_LOOKBACK_HOURS` with far fewer events than usual in
bronze. It warns and says which command fills them; with `FRESHET_GAP_FILL` it fills them.

- By dates: `airflow backfill create --dag-id backfill_history --from-date 2026-11-23T10:00:00Z --to-date
  2026-11-23T12:00:00Z --reprocess-behavior completed` fills the hours from 10 until 13. Of an hour for which a run was
  there already (each of those in which Airflow ran) nothing is made without `--reprocess-behavior`.
- By parameters: `freshet backfill --since ... --until ... --apply`, or `POST /api/v2/dags/backfill_history/dagRuns`
  with `{"logical_date": null, "conf": {"since": "2026-11-23T10:00:00Z", "dry_run": false}}`. Dry unless told otherwise.

A killed run goes on where it stopped, and what is filled is not filled again (`again` does).
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import CronDataIntervalTimetable, DeadlineAlert, DeadlineReference, Param, SyncCallback, dag, task
from airflow.sdk.exceptions import AirflowFailException

from freshet import lineage
from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, load_settings
from freshet.upkeep.dag_defaults import DEFAULTS, START, longest_run, overdue

log = logging.getLogger(__name__)

COMMAND = [sys.executable, "-m", "producer.backfill"]


@dag(
    # a plain cron expression would make points in time, which are nothing that could be filled
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=DEFAULTS,
    deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, longest_run(), SyncCallback(overdue)),
    params={
        "since": Param(None, type=["null", "string"], format="date-time", description="events from this time on"),
        "until": Param(None, type=["null", "string"], format="date-time", description="and before this; null: now"),
        "archives": Param([], type="array", items={"type": "string"}, description="NDJSON files instead of the stream"),
        "gaps": Param(False, type="boolean", description="the gaps that are found, instead of a time"),
        "rate": Param(
            None, type=["null", "number"], exclusiveMinimum=0, description="most events/s; null: the setting"
        ),
        "again": Param(False, type="boolean", description="also what was filled before"),
        "dry_run": Param(
            True, type="boolean", description="only say what would be filled; in a backfill by dates false"
        ),
    },
    tags=["freshet", "history"],
    doc_md=__doc__,
)
def backfill_history() -> None:
    """Plan, fill part by part, report."""
    settings = load_settings()

    @task
    def plan(params: dict[str, Any] | None = None, dag_run: Any = None) -> list[str]:
        """Look for gaps or check what is asked for, and cut it into parts: the command of each."""
        from freshet.upkeep import fill_history, reports
        from freshet.upkeep.interval import Interval

        settings, now = load_settings(), datetime.now(UTC)
        span = (dag_run.data_interval_start, dag_run.data_interval_end)
        try:
            asked = fill_history.wanted(
                dag_run.run_type, params or {}, dag_run.conf or {}, Interval(*span) if all(span) else None, now,
                fills_gaps=settings.gap_fill,
            )  # fmt: skip
            made = fill_history.plan(settings, asked, now)
        except PermanentError as error:
            # trying again would not help
            raise AirflowFailException(str(error)) from error
        reports.keep(settings, dag_run.dag_id, dag_run.run_id, "plan", made.as_json())
        return made.commands(COMMAND, dag_run.dag_id, dag_run.run_id)

    @task(trigger_rule="none_failed")
    def report(dag_run: Any = None) -> dict[str, Any]:
        """What was read and sent, of all parts; a warning for each gap that is only found, with what fills it."""
        from freshet.upkeep import fill_history, reports

        found = reports.collected(load_settings(), dag_run.dag_id, dag_run.run_id)
        for line in fill_history.remarks(found["parts"]):
            log.warning(line)
        return found

    fill = BashOperator.partial(
        task_id="fill",
        cwd=str(CHECKOUT),
        output_processor=json.loads,
        skip_on_exit_code=None,
        inlets=lineage.stream(settings),
        outlets=lineage.topics(settings, topics.RAW),
        # one at a time, of all runs together: the rate is that of the whole
        max_active_tis_per_dag=1,
    ).expand(bash_command=plan())
    fill >> report()  # type: ignore[operator]


backfill_history()
