"""
# compact_gold

Every hour: puts small files of the lake together (`FRESHET_COMPACT_TABLES`), removes those that no table has any more,
and keeps Postgres small and quick (retention, vectors of no text, indexes that have grown). The stream writes on
meanwhile; whichever of two commits comes second begins anew.

By schedule it does it. By hand it only says what it would do, unless `dry_run` is false:
`airflow dags trigger compact_gold --conf '{"dry_run": false}'`.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Param, dag, task

from freshet import lineage
from freshet.settings import load_settings
from freshet.upkeep.dag_defaults import DEFAULTS, START, spark_job

DRY = "(params.dry_run and dag_run.run_type != 'scheduled')"


@dag(
    schedule="17 * * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={**DEFAULTS, "execution_timeout": timedelta(minutes=45)},
    params={
        "dry_run": Param(True, type="boolean", description="only say what would be done; a scheduled run does it"),
    },
    tags=["freshet", "lake", "postgres"],
    doc_md=__doc__,
)
def compact_gold() -> None:
    """The lake and Postgres side by side, then one report."""
    settings = load_settings()

    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def due(dag_run: Any = None) -> bool:
        """By schedule, only where there is something to put together: it costs a JVM."""
        from freshet.upkeep import lake_files

        settings = load_settings()
        return dag_run.run_type != "scheduled" or any(
            lake_files.due(settings, layer) for layer in settings.compact_tables
        )

    lake = SparkSubmitOperator(
        task_id="lake",
        application_args=[
            "{{ '--dry-run' if " + DRY + " else '--apply' }}",
            "--dag-id", "{{ dag.dag_id }}", "--run-id", "{{ run_id }}",
        ],
        inlets=lineage.tables(settings, *settings.compact_tables),
        outlets=lineage.tables(settings, *settings.compact_tables),
        **spark_job("compact", settings.upkeep_java_options),
    )  # fmt: skip

    @task(outlets=lineage.relations(settings, "documents"))
    def postgres(dry: str) -> dict[str, Any]:
        """Retention, orphans, indexes, statistics."""
        from freshet.upkeep.postgres import run

        return run(load_settings(), apply=dry == "False")

    @task(trigger_rule="none_failed")
    def report(of_postgres: dict[str, Any], dag_run: Any = None) -> dict[str, Any]:
        """Files, bytes and milliseconds before and after, of both; kept in Postgres as well."""
        from freshet.upkeep.reports import collected

        return collected(load_settings(), dag_run.dag_id, dag_run.run_id, {"postgres": of_postgres})

    of_postgres = postgres("{{ " + DRY + " }}")
    due() >> lake >> report(of_postgres)  # type: ignore[operator]


compact_gold()
