"""
# forget

Every hour: takes out of the lake what was removed, once something has waited for half an hour; until then it may be on
its way into the lake. Silver and gold lose the edits of pages that were deleted and the revisions that were hidden on
the wiki (`tables`); what was removed by `freshet forget` leaves bronze and the rejected records too, which takes Spark
(`lake`: when there is something new, and once a day for what they get again). The index has lost it then. Vacuumed are
files that no table has had any more for `FRESHET_COMPACT_KEEP_HOURS`.

By schedule it does it, where there is something to take out. By hand it only counts, unless `dry_run` is false:
`airflow dags trigger forget --conf '{"dry_run": false}'`. `targets` are counted instead of all that is removed.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Param, dag, task

from freshet import lineage
from freshet.lake import LAYERS
from freshet.settings import load_settings
from freshet.upkeep.dag_defaults import DEFAULTS, START, spark_job

DRY = "(params.dry_run and dag_run.run_type != 'scheduled')"


@dag(
    schedule="47 * * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={**DEFAULTS, "execution_timeout": timedelta(minutes=45)},
    params={
        "targets": Param([], type="array", items={"type": "string"}, description="KIND:SHA256 to count, of a dry run"),
        "dry_run": Param(True, type="boolean", description="only count; a scheduled run takes it out"),
    },
    tags=["freshet", "lake", "privacy"],
    doc_md=__doc__,
)
def forget() -> None:
    """The lake, then the report."""
    settings = load_settings()

    @task.branch
    def due(dag_run: Any = None, params: Any = None) -> str | None:
        """What is to be looked through; Spark only where it must, because it costs a JVM."""
        from freshet.upkeep import removing

        scheduled = dag_run.run_type == "scheduled"
        if params["targets"] and not scheduled:
            return removing.Search.LAKE.value
        needed = removing.due(load_settings(), scheduled=scheduled)
        return needed and needed.value

    @task(inlets=lineage.tables(settings, "silver", "gold"), outlets=lineage.tables(settings, "silver", "gold"))
    def tables(dry: str, dag_run: Any = None) -> None:
        """Silver and gold."""
        from freshet.upkeep import removing, reports

        done = removing.run(load_settings(), apply=dry == "False")
        reports.keep(load_settings(), dag_run.dag_id, dag_run.run_id, "lake", done)

    lake = SparkSubmitOperator(
        task_id="lake",
        application_args=[
            "{{ '--dry-run' if " + DRY + " else '--apply' }}",
            "--targets", "{{ params.targets | join(',') if " + DRY + " else '' }}",
            "--dag-id", "{{ dag.dag_id }}", "--run-id", "{{ run_id }}",
        ],
        inlets=lineage.tables(settings, *LAYERS),
        outlets=lineage.tables(settings, *LAYERS),
        **spark_job("forget", settings.upkeep_java_options),
    )  # fmt: skip

    @task(trigger_rule="none_failed")
    def report(dag_run: Any = None) -> dict[str, Any]:
        """Rows of each table that were taken out, or would be; kept in Postgres as well."""
        from freshet.upkeep.reports import collected

        return collected(load_settings(), dag_run.dag_id, dag_run.run_id)

    due() >> [tables("{{ " + DRY + " }}"), lake] >> report()  # type: ignore[operator]


forget()
