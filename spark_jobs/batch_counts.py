"""What became of one lake batch: as a value, as metrics, as one log line."""

from dataclasses import asdict, dataclass, field

import structlog

from freshet.contract.rejections import Stage
from freshet.telemetry import metrics

log = structlog.get_logger()


@dataclass(frozen=True)
class BatchCounts:
    """Raw rows = silver rows that are this batch's + rejected + canaries + duplicates."""

    rows: int = 0
    canaries: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    inserted: dict[str, int] = field(default_factory=dict)

    def report(self, batch_id: int) -> None:
        """Count it in the metrics and say it in one line."""
        metrics.SPARK_INPUT.labels("lake").inc(self.rows + self.dead_letters)
        metrics.DUPLICATES.inc(self.duplicates)
        metrics.LAKE_CANARIES.inc(self.canaries)
        for reason, rows in self.rejected.items():
            metrics.REJECTED.labels(Stage.TRANSFORM.value, reason).inc(rows)
        for layer, rows in self.inserted.items():
            metrics.SPARK_OUTPUT.labels("lake", layer).inc(rows)
        metrics.LAKE_COMMIT.set_to_current_time()
        log.info("lake batch written", batch=batch_id, **asdict(self))
