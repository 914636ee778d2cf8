"""The serve query: the raw topic to the silver, gold and rejected topics, stateless and within milliseconds."""

from typing import Any, Final

from pyspark.sql import DataFrame
from pyspark.sql.streaming.readwriter import DataStreamWriter

from freshet.contract.documents import DocumentRule
from freshet.log import MAX_RECORD_BYTES
from freshet.settings import Settings
from spark_jobs.transforms.messages import messages
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import events

QUERY: Final = "serve"

MAX_MICROBATCH_RECORDS: Final = 50_000
"""Bounds the memory of one micro-batch over a backlog. Real-time mode reads record by record and needs no bound."""

REALTIME_BATCH: Final = "300 seconds"
"""How often real-time mode writes its offsets: what a crash repeats at most. Edits wait while it plans the next one,
for a second or two where the machine is busy: once a minute that would be the p95 (docs/decisions/0029)."""


def outgoing(records: DataFrame, rule: DocumentRule) -> DataFrame:
    """`topic`, `key`, `value`, `headers` of all that the raw records give; the same for a stream and for a batch."""
    return messages(events(parse(bronze(records))), rule)


def serve_writer(records: DataFrame, settings: Settings) -> DataStreamWriter:
    """The unstarted serve query over records of the raw topic."""
    writer = (
        outgoing(records, settings.document_rule)
        .writeStream.queryName(QUERY)
        .format("kafka")
        .outputMode("update")
        .option("kafka.bootstrap.servers", settings.bootstrap_servers)
        .option("kafka.max.request.size", str(MAX_RECORD_BYTES))
        .option("checkpointLocation", settings.lake.checkpoint(QUERY))
    )
    # The trigger's type stubs do not know real-time mode yet.
    trigger: dict[str, Any] = {"processingTime": "0 seconds"}
    if settings.serve_mode == "realtime":
        trigger = {"realTime": REALTIME_BATCH}
    return writer.trigger(**trigger)
