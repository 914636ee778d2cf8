"""Makes the lake and the index what the transforms make of raw records now: `python -m spark_jobs.replay --chunk JSON`.

Without `--apply` it only says what would change. The last line of standard output is one JSON object.

Changed documents are sent to `wiki.gold` before any table is changed. Killed in between, the same chunk finds the same
differences and sends them again, which changes nothing in the index; sent afterwards, it would find none, and the index
would stay as it was. So a chunk may be killed anywhere and run again, and what is done is not done twice.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import structlog
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn

from freshet.contract.removals import Standing
from freshet.errors import FreshetError
from freshet.lake import LakePaths
from freshet.log import MAX_RECORD_BYTES
from freshet.settings import Settings, load_settings
from freshet.store import removals
from freshet.telemetry import logs
from freshet.upkeep.replay import Chunk, chunk_from
from spark_jobs.checkpoint import checkpointed
from spark_jobs.chunk import read_chunk
from spark_jobs.compare import GOLD, LAYERS, SILVER, UNCHANGED, Layer, compare, merge_condition
from spark_jobs.replay_report import Figures, KeptReport, figures
from spark_jobs.session import spark_session
from spark_jobs.tables import create_tables, merge_changes
from spark_jobs.transforms.messages import absence_messages, document_messages, removal_messages
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.removals import standing, uncovered
from spark_jobs.transforms.silver import events

log = structlog.get_logger()

Publish = Callable[[DataFrame, Settings], None]
Merge = Callable[[DataFrame, LakePaths, str, str, tuple[str, str]], None]

EXAMPLES: Final = 5
"""Documents that a dry run shows before and after."""


class Replay:
    """What a chunk would change. It is computed once; what the tables hold later does not change it."""

    def __init__(
        self, parsed: DataFrame, changes: dict[Layer, DataFrame], chunk: Chunk, settings: Settings, resend: bool
    ) -> None:
        self._parsed = parsed
        self._changes = changes
        self._chunk = chunk
        self._settings = settings
        self._resend = resend

    def figures(self, examples: int = 0) -> Figures:
        """Rows by layer and action, and what becomes of the index; with so many documents before and after."""
        return figures(self._parsed, self._changes, self._chunk, examples, self._resend)

    def apply(self, publish: Publish, merge: Merge = merge_changes) -> None:
        """Send the changed documents, then change the tables. Whatever it raises, the chunk can be run again."""
        publish(self._messages(), self._settings)
        for layer in LAYERS:
            differing = self._changes[layer].where(fn.col("action") != UNCHANGED)
            if not differing.isEmpty():
                _, *place = layer.place
                condition = merge_condition(differing, layer, self._chunk)
                merge(differing, self._settings.lake, layer.name, condition, (place[0], place[1]))

    def _messages(self) -> DataFrame:
        """The records of the changed documents under the keys of their raw records; or of all, and of what is none."""
        if not self._resend:
            return document_messages(self._keyed(self._changes[GOLD].where(fn.col("action") != UNCHANGED)))
        documents = self._changes[GOLD]
        made = documents.where(fn.col("new").isNotNull()).select(fn.col("doc_id").alias("event_id"))
        absent = self._changes[SILVER].where(fn.col("new").isNotNull()).join(made, "event_id", "left_anti")
        of_documents = document_messages(self._keyed(documents)).union(absence_messages(self._keyed(absent)))
        return of_documents.union(removal_messages(self._parsed))

    def _keyed(self, rows: DataFrame) -> DataFrame:
        place = ["raw_partition", "raw_offset"]
        placed = rows.withColumns({name: fn.coalesce(f"new.{name}", f"old.{name}") for name in place})
        return placed.join(self._parsed.select(*place, "key"), place)


@contextmanager
def prepared(
    spark: SparkSession, settings: Settings, chunk: Chunk, *, resend: bool = False, removed: Sequence[Standing] = ()
) -> Iterator[Replay]:
    """The replay of a chunk, compared and not yet applied.

    `resend`: the index is told of unchanged documents as well, of events that are no documents, and of removals.
    What is `removed` is passed over, as if it had not been read.
    """
    create_tables(spark, settings.lake)
    records = read_chunk(spark, settings, chunk).coalesce(spark.sparkContext.defaultParallelism)
    with ExitStack() as held:
        read = events(parse(records))
        left = uncovered(read, standing(spark, removed)) if removed else read
        parsed = held.enter_context(checkpointed(left))
        compared = compare(parsed, chunk, settings.lake, settings.document_rule, whole=resend)
        changes = {layer: held.enter_context(checkpointed(rows, eager=True)) for layer, rows in compared.items()}
        yield Replay(parsed, changes, chunk, settings, resend)


def publish(messages: DataFrame, settings: Settings) -> None:
    """Send records and wait until the broker has them all."""
    if not messages.isEmpty():
        (
            messages.write.format("kafka")
            .option("kafka.bootstrap.servers", settings.bootstrap_servers)
            .option("kafka.max.request.size", str(MAX_RECORD_BYTES))
            .save()
        )


def run(
    spark: SparkSession,
    settings: Settings,
    chunk: Chunk,
    kept: KeptReport,
    *,
    examples: int,
    resend: bool = False,
    removed: Sequence[Standing] = (),
) -> Figures:
    """Replay the chunk, dry or not as the report says, and return what came of it."""
    began = time.monotonic()
    with prepared(spark, settings, chunk, resend=resend, removed=removed) as made:
        found = made.figures(examples if kept.dry_run else 0)
        kept.set_out(found)
        if not kept.dry_run:
            made.apply(publish)
    return kept.finish(found, time.monotonic() - began)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs.replay", description=__doc__)
    parser.add_argument("--chunk", type=chunk_from, required=True, help="a chunk of a plan, as JSON")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", dest="apply", action="store_false", help="only say what would change (the default)")
    how.add_argument("--apply", dest="apply", action="store_true", help="change it")
    parser.add_argument("--resend", action="store_true", help="tell the index of what is unchanged as well")
    parser.add_argument("--run-id", default="", help="keep the report in Postgres under this run")
    parser.add_argument("--dag-id", default="replay", help="and under this DAG; default: replay")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="documents that a dry run shows")
    parser.set_defaults(apply=False)
    return parser.parse_args(given)


def main() -> None:
    """Replay one chunk, and say what came of it."""
    asked = arguments()
    settings = load_settings()
    logs.configure("replay", settings.log_level)
    spark = spark_session(settings, "freshet-replay")
    conninfo = settings.conninfo if asked.run_id else ""
    kept = KeptReport(conninfo, asked.dag_id, asked.run_id, asked.chunk.name, dry_run=not asked.apply)
    how = {"examples": asked.examples, "resend": asked.resend, "removed": removals.standing(settings.conninfo)}
    report: dict[str, Any] = dict(run(spark, settings, asked.chunk, kept, **how))
    spark.stop()
    log.info("replayed", **{name: value for name, value in report.items() if name != "examples"})
    sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        logs.end(error)
