"""
# replay_offsets

"We found a flaw in our logic: replay." Reads raw records again, applies the transforms as they are now, and changes
silver, gold and the index where they differ. Nothing else is touched, and a second replay changes nothing. With
`resend` the index is told of the unchanged rows as well: it gets documents that it has lost, and loses those that gold
does not have, such as edits that only one of the two queries had taken in when a rule was changed.

Choose in one way: `offsets` (`PARTITION:FIRST-LAST`), a time (`since`, `until`), `event_ids` or `doc_ids`. What the log
has let go is read from bronze, and the plan says so. It only says what would change, unless `dry_run` is false.

`freshet replay --offsets 0:100-199` asks for a run and follows it. By REST: `POST /api/v2/dags/replay_offsets/dagRuns`
with `{"logical_date": null, "conf": {"offsets": ["0:100-199"], "dry_run": true}}`.
"""

import json
import logging
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import DeadlineAlert, DeadlineReference, Param, SyncCallback, dag, task
from airflow.sdk.exceptions import AirflowFailException

from freshet import lineage
from freshet.contract import topics
from freshet.errors import PermanentError
from freshet.settings import load_settings
from freshet.upkeep.dag_defaults import DEFAULTS, START, longest_run, overdue, spark_job
from freshet.upkeep.replay import CHUNK_RECORDS, request

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 1
"""Chunks at once: each has a JVM of its own."""


@dag(
    schedule=None,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=DEFAULTS,
    deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, longest_run(), SyncCallback(overdue)),
    params={
        "offsets": Param([], type="array", items={"type": "string"}, description="PARTITION:FIRST-LAST, both included"),
        "since": Param(None, type=["null", "string"], format="date-time", description="records from this time on"),
        "until": Param(None, type=["null", "string"], format="date-time", description="and before this; null: now"),
        "event_ids": Param([], type="array", items={"type": "string"}, description="meta.id of events"),
        "doc_ids": Param([], type="array", items={"type": "string"}, description="ids of documents"),
        "resend": Param(False, type="boolean", description="tell the index of what is unchanged as well"),
        "dry_run": Param(True, type="boolean", description="only say what would change"),
        "chunk_records": Param(CHUNK_RECORDS, type="integer", minimum=1, description="most records of one job"),
    },
    tags=["freshet", "replay"],
    doc_md=__doc__,
)
def replay_offsets() -> None:
    """Plan, replay chunk by chunk, report."""
    settings = load_settings()

    @task(retries=1)
    def plan(params: dict[str, Any] | None = None, dag_run: Any = None) -> list[list[str]]:
        """Check what is asked for against what there is, and cut it into chunks: the arguments of each job."""
        from freshet.upkeep.locate import plan_replay

        asked = dict(params or {})
        how = ["--dry-run" if asked.pop("dry_run") else "--apply", *(["--resend"] if asked.pop("resend") else [])]
        most = asked.pop("chunk_records")
        try:
            made = plan_replay(load_settings(), request(**asked), most)
        except PermanentError as error:
            # trying again would not help
            raise AirflowFailException(str(error)) from error
        for note in made.notes:
            log.warning(note)
        of_run = ["--dag-id", dag_run.dag_id, "--run-id", dag_run.run_id]
        return [["--chunk", json.dumps(chunk.as_json()), *how, *of_run] for chunk in made.chunks]

    @task
    def report(dag_run: Any = None) -> dict[str, Any]:
        """Rows read, changed, unchanged and rejected, of all chunks."""
        from freshet.upkeep.reports import collected

        return collected(load_settings(), dag_run.dag_id, dag_run.run_id)

    replay = SparkSubmitOperator.partial(
        task_id="replay",
        max_active_tis_per_dagrun=SIDE_BY_SIDE,
        inlets=[*lineage.topics(settings, topics.RAW), *lineage.tables(settings, "bronze")],
        outlets=[*lineage.tables(settings, "silver", "gold", "rejected"), *lineage.topics(settings, topics.GOLD)],
        **spark_job("replay"),
    ).expand(application_args=plan())
    replay >> report()  # type: ignore[operator]


replay_offsets()
