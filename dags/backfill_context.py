"""
# backfill_context

Descriptions of pages that were seen before: of those in the index about which nothing was ever answered, as after the
first start of `context`, or with `stale` also of those whose description is older than `FRESHET_CONTEXT_DAYS`.

It asks nobody itself: a chunk's pages are put behind those that the stream asks about, `context` asks at its own rate
(`FRESHET_CONTEXT_REQUESTS_PER_MINUTE`, 50 pages at once), and the task waits until they are answered or could
not be asked about. It fails when nothing moves for five minutes, and says which error the pages have.

It only says how many pages and requests and how long, unless `dry_run` is false. `freshet backfill-context --apply`
asks for a run and follows it. By REST: `POST /api/v2/dags/backfill_context/dagRuns` with `{"logical_date": null,
"conf": {"wikis": ["jawiki"], "dry_run": false}}`.
"""

from typing import Any

from airflow.sdk import DeadlineAlert, DeadlineReference, Param, SyncCallback, dag, task
from airflow.sdk.exceptions import AirflowFailException

from freshet import lineage
from freshet.errors import ConfigError, PermanentError
from freshet.settings import load_settings
from freshet.upkeep.backfill_context import CHUNK_PAGES, Name
from freshet.upkeep.dag_defaults import DEFAULTS, START, longest_run, overdue

TIME: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}


def done(name: Name | tuple[int, list[Any]], params: Any, run: Any) -> Any:
    """The work of one task. What trying again would not help fails at once."""
    from freshet.upkeep import backfill_context as work

    try:
        return work.part(load_settings(), work.asked(params), name, run.run_id)
    except (ConfigError, PermanentError) as error:
        raise AirflowFailException(str(error)) from error


@dag(
    schedule=None,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=DEFAULTS,
    deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, longest_run(), SyncCallback(overdue)),
    params={
        "since": Param(None, **TIME, description="pages with an edit from this time on"),
        "until": Param(None, **TIME, description="and before this; null: all"),
        "wikis": Param([], type="array", items={"type": "string"}, description="of these wikis; none: of all"),
        "stale": Param(False, type="boolean", description="also pages whose description has become old"),
        "chunk_pages": Param(CHUNK_PAGES, type="integer", minimum=1, description="pages of one task"),
        "dry_run": Param(True, type="boolean", description="only say what would be asked, and how long it would take"),
    },
    tags=["freshet", "context", "postgres"],
    doc_md=__doc__,
)
def backfill_context() -> None:
    """Plan, have chunk by chunk asked about, report."""
    settings = load_settings()

    @task(retries=1)
    def plan(params: Any = None, dag_run: Any = None) -> list[list[Any]]:
        """How many pages and requests, and how long; cut into ranges of pages."""
        return list(done("plan", params, dag_run))

    @task(
        max_active_tis_per_dagrun=1,
        inlets=lineage.relations(settings, "documents"),
        outlets=lineage.relations(settings, "pages"),
    )
    def ask(chunk: list[Any], params: Any = None, dag_run: Any = None, ti: Any = None) -> Any:
        """Put the pages of one range behind the stream's, and wait for their answers."""
        return done((ti.map_index, chunk), params, dag_run)

    @task(trigger_rule="none_failed")
    def report(params: Any = None, dag_run: Any = None) -> Any:
        """How many were described, missing and failing, of all chunks."""
        return done("report", params, dag_run)

    ask.expand(chunk=plan()) >> report()


backfill_context()
