"""What a replay of a chunk came to: as figures, and as a report that is kept."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as fn

from freshet.store import upkeep
from freshet.store.upkeep import PartReport
from freshet.upkeep.replay import Chunk
from spark_jobs.compare import CHANGED, DELETED, GOLD, INSERTED, SILVER, UNCHANGED, Layer, counts
from spark_jobs.transforms.messages import JSON
from spark_jobs.transforms.parse import CANARY, VALID

Figures = Mapping[str, Any]

UNFINISHED: Final = "unfinished"


class KeptReport:
    """The report of one part of a run, kept in Postgres when the run has an id.

    It is kept before anything changes and again at the end. Of a part that was cut off and run again the first figures
    stand: the second run finds undone only what the first had not come to.
    """

    def __init__(self, conninfo: str, dag_id: str, run_id: str, part: str, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self._conninfo = conninfo
        self._of = dag_id, run_id, part
        self._began = datetime.now(UTC)
        self._first: Figures | None = None

    def set_out(self, found: Figures) -> None:
        """Keep what is about to be done."""
        if self.dry_run or not self._conninfo:
            return
        dag_id, run_id, part = self._of
        earlier = [kept.report for kept in upkeep.reports(self._conninfo, dag_id, run_id) if kept.part == part]
        self._first = next((report for report in earlier if report.get(UNFINISHED)), None)
        if self._first is None:
            self._keep({**found, "dry_run": False, UNFINISHED: True}, 0.0)

    def finish(self, found: Figures, seconds: float) -> Figures:
        """Keep what was done, or would be, and return it."""
        report = {**(self._first or found), "dry_run": self.dry_run, "seconds": round(seconds, 2)}
        report.pop(UNFINISHED, None)
        if self._conninfo:
            self._keep(report, seconds)
        return report

    def _keep(self, report: Figures, seconds: float) -> None:
        upkeep.keep(self._conninfo, PartReport(*self._of, self.dry_run, self._began, seconds, report))


def figures(
    parsed: DataFrame, changes: dict[Layer, DataFrame], chunk: Chunk, examples: int, resend: bool = False
) -> Figures:
    """Rows read, what they are, and by layer what changes; documents sent to the index again and taken off it."""
    verdicts = {row["verdict"]: row["count"] for row in parsed.groupBy("verdict").count().collect()}
    layers = {layer.name: counts(found) for layer, found in changes.items()}
    rows = sum(verdicts.values())
    kept = sum(layers[SILVER.name][action] for action in (INSERTED, CHANGED, UNCHANGED))
    documents = layers[GOLD.name]
    found = {
        "part": chunk.name,
        "source": chunk.source,
        "rows": rows,
        "missing": chunk.records - rows,
        "canaries": verdicts.get(CANARY, 0),
        "duplicates": verdicts.get(VALID, 0) - kept,
        "rejected": {name: count for name, count in sorted(verdicts.items()) if name not in (VALID, CANARY)},
        "layers": layers,
        "republished": documents[INSERTED] + documents[CHANGED] + (documents[UNCHANGED] if resend else 0),
        "removed": documents[DELETED],
    }
    return {**found, "examples": _examples(changes[GOLD], examples)} if examples else found


def _examples(documents: DataFrame, most: int) -> list[dict[str, Any]]:
    differing = documents.where(fn.col("action") != UNCHANGED).orderBy("doc_id").limit(most)
    shown = differing.select("doc_id", "action", *(fn.to_json(side, JSON).alias(side) for side in ("old", "new")))
    return [_example(row) for row in shown.collect()]


def _example(row: Row) -> dict[str, Any]:
    """Before and after of a document; of a changed one only the columns that differ."""
    before, after = (json.loads(row[side]) if row[side] else None for side in ("old", "new"))
    if before and after:
        differing = [name for name in after if before[name] != after[name]]
        before, after = ({name: side[name] for name in differing} for side in (before, after))
    return {"doc_id": row["doc_id"], "action": row["action"], "before": before, "after": after}
