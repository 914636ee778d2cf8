"""
# backfill_embeddings

Vectors of documents and of pages that have none, and the way to another model while everything goes on.

- **fill**: every day, and by `airflow backfill create --dag-id backfill_embeddings --from-date ... --to-date ...`, what
  is missing of the documents, and of the pages last edited, in the run's interval, as after an outage of the provider.
- **move**: registers `model` as being built (new documents get both vectors from then on), embeds all documents and
  pages in chunks, makes the vector indexes, compares with the model before, and switches. The model before is kept:
  moving to it is the way back, and takes as long as what it lacks by then.
- **drop**: deletes a `model` that is not the active one.

By hand it only says what it would do and how long that would take, unless `dry_run` is false.
`freshet embeddings move --model NAME` asks for a run and follows it. By REST: `POST
/api/v2/dags/backfill_embeddings/dagRuns` with `{"logical_date": null, "conf": {"action": "move", "model": "NAME"}}`.
"""

from typing import Any

from airflow.sdk import CronDataIntervalTimetable, DeadlineAlert, DeadlineReference, Param, SyncCallback, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from freshet import lineage
from freshet.errors import ConfigError, PermanentError
from freshet.settings import load_settings
from freshet.upkeep.dag_defaults import DEFAULTS, START, longest_run, overdue
from freshet.upkeep.moves import CHUNK_TEXTS, LEAST_RECALL, Name, asked

SHARE = {"type": "number", "minimum": 0, "maximum": 1}
TIME: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}


def done(name: Name, params: Any, run: Any, chunk: tuple[int, list[Any]] | None = None) -> Any:
    """The work of one task; skipped where it is not part of the run. What trying again would not help fails at once."""
    from freshet.upkeep import reembed

    try:
        what = asked(params, run.run_type, run.data_interval_start, run.data_interval_end)
        if name not in ("plan", *what.steps, "report"):
            raise AirflowSkipException("not part of this run")
        return reembed.part(load_settings(), what, name, run.dag_id, run.run_id, chunk)
    except (ConfigError, PermanentError) as error:
        raise AirflowFailException(str(error)) from error


@dag(
    # a plain cron expression would give intervals of no length
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=DEFAULTS,
    deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, longest_run(), SyncCallback(overdue)),
    params={
        "action": Param("fill", type="string", enum=["fill", "move", "drop"], description="what to do"),
        "model": Param(None, type=["null", "string"], description="built-in model, or a folder; null fills the active"),
        "since": Param(None, **TIME, description="fill: of edits from this time on"),
        "until": Param(None, **TIME, description="fill: and before this; null: all"),
        "chunk_texts": Param(CHUNK_TEXTS, type="integer", minimum=1, description="texts of one task"),
        "least_recall": Param(LEAST_RECALL, **SHARE, description="move: least recall@10 of the new index"),
        "least_overlap": Param(0.0, **SHARE, description="move: least share of neighbours that both models have"),
        "switch": Param(True, type="boolean", description="move: make it the active one, or only have it ready"),
        "dry_run": Param(True, type="boolean", description="only say what would be done; a scheduled run does it"),
    },
    tags=["freshet", "embeddings", "postgres"],
    doc_md=__doc__,
)
def backfill_embeddings() -> None:
    """Plan, embed chunk by chunk, index, compare, switch; or drop. Then one report."""

    @task(retries=1)
    def plan(params: Any = None, dag_run: Any = None) -> list[list[Any]]:
        """Check model, dimensions and states; begin a move; cut what is missing into ranges of content hashes."""
        return list(done("plan", params, dag_run))

    @task(max_active_tis_per_dagrun=1, inlets=lineage.relations(load_settings(), "documents", "pages"))
    def embed(chunk: list[Any], params: Any = None, dag_run: Any = None, ti: Any = None) -> Any:
        """The vectors of one range, but for those that are there."""
        return done("embed", params, dag_run, (ti.map_index, chunk))

    @task(trigger_rule="none_failed")
    def index(params: Any = None, dag_run: Any = None) -> Any:
        """The vector indexes, and then what arrived meanwhile."""
        return done("index", params, dag_run)

    @task(trigger_rule="none_failed")
    def compare(params: Any = None, dag_run: Any = None) -> Any:
        """Neighbours by both models, and the indexes against comparing all. Fails below the bounds."""
        return done("compare", params, dag_run)

    @task(trigger_rule="none_failed")
    def switch(params: Any = None, dag_run: Any = None) -> Any:
        """The new model becomes the active one, the one before is kept."""
        return done("switch", params, dag_run)

    @task
    def drop(params: Any = None, dag_run: Any = None) -> Any:
        """The model and its vectors are deleted."""
        return done("drop", params, dag_run)

    @task(trigger_rule="none_failed")
    def report(params: Any = None, dag_run: Any = None) -> Any:
        """What each step did or would do, and the sums."""
        return done("report", params, dag_run)

    chunks = plan()
    reported = report()
    embed.expand(chunk=chunks) >> index() >> compare() >> switch() >> reported
    chunks >> drop() >> reported  # type: ignore[operator]


backfill_embeddings()
