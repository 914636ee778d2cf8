"""Log events of deleted pages and hidden revisions as removals, and the rows that a removal covers."""

from collections.abc import Iterable
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as fn

from freshet.contract import schemas
from freshet.contract.documents import CONTENT_TYPES
from freshet.contract.removals import (
    ANY_WIKI,
    GONE,
    HIDING,
    LOGS,
    NAMED_BY,
    RESTORED,
    REVISION,
    Kind,
    Origin,
    Standing,
)

_REVISION_IDS: Final = ("revision", "archive")
"""Kinds of ids that are numbers of revisions; those of files and of log entries are not."""

_NUMBERS: Final = r"^0*[1-9]\d{0,17}(,0*[1-9]\d{0,17})*$"

_STANDING: Final = "target STRING, kind STRING, origin STRING, until TIMESTAMP"


def is_removal() -> Column:
    """Whether an event removes something, or brings it back. Never null."""
    logged = (fn.col("type") == "log") & fn.col("log_type").isin(*LOGS)
    said = _is_page() | ((fn.col("log_action") == REVISION) & _params("type").isin(*_REVISION_IDS))
    # parameters that cannot be read are passed on: whoever applies removals says what is wrong
    unsaid = (fn.col("log_action") == REVISION) & _params("type").isNull()
    return fn.coalesce(logged & (said | unsaid), fn.lit(False))


def removal() -> Column:
    """`schemas.REMOVAL` of an event's columns and its `log_params`, which holds the parameters' JSON."""
    made = {
        "removal": fn.when(_is_page(), Kind.PAGE.value).otherwise(Kind.REVISION.value),
        "hides": fn.when(_is_page(), fn.col("log_action") != RESTORED).otherwise(_hides()),
        "revision_ids": fn.when(~_is_page(), _revision_ids()),
    }
    names = schemas.names(schemas.REMOVAL)
    return fn.struct(*(made[name].alias(name) if name in made else fn.col(name) for name in names))


def standing(spark: SparkSession, removals: Iterable[Standing]) -> DataFrame:
    """The register's removals as a small frame."""
    return spark.createDataFrame([(one.target, one.kind, one.origin, one.until) for one in removals], _STANDING)


def covered(rows: DataFrame, removals: DataFrame) -> DataFrame:
    """The rows that a standing removal covers, with its `target`, `kind` and `origin`; once for each removal.

    `rows` have silver's columns. A removal of the stream is of edits alone: that a page was deleted remains known.
    """
    named = rows.withColumn("target", fn.explode(fn.array_compact(fn.array(*_targets()))))
    found = named.join(fn.broadcast(removals), "target")
    when = fn.coalesce("event_time", "raw_timestamp")
    meant = fn.coalesce(fn.col("type").isin(*CONTENT_TYPES), fn.lit(False)) | (fn.col("origin") == Origin.HAND)
    return found.where((when <= fn.col("until")) & meant)


def uncovered(rows: DataFrame, removals: DataFrame) -> DataFrame:
    """The rows that no standing removal covers."""
    place = ["raw_topic", "raw_partition", "raw_offset"]
    return rows.join(covered(rows, removals).select(*place), place, "left_anti").select(*rows.columns)


def _targets() -> list[Column]:
    """`freshet.contract.removals.targets` as Columns, null where a name is."""
    return [fn.sha2(fn.concat(*_named(kind, wiki, name)), 256) for kind, wiki, name in NAMED_BY]


def _named(kind: Kind, wiki: str, name: str) -> tuple[Column, ...]:
    of_wiki = fn.col(wiki) if wiki else fn.lit(ANY_WIKI)
    return fn.lit(f"{kind}\n"), of_wiki, fn.lit("\n"), fn.col(name).cast("string")


def _is_page() -> Column:
    return fn.col("log_action").isin(*GONE, RESTORED)


def _params(name: str) -> Column:
    return fn.get_json_object("log_params", f"$.{name}")


def _hides() -> Column:
    bits = _params("nfield").try_cast("int")
    return fn.when(bits >= 0, bits.bitwiseAND(HIDING) != 0)


def _revision_ids() -> Column:
    """The ids, whether they are a list or one text with commas; null when one of them is no number of a revision."""
    ids = fn.regexp_replace(_params("ids"), r'[\[\]"\s]', "")
    # not transform(): Spark does not compile it, nor then the rest of the projection it stands in
    return fn.when(ids.rlike(_NUMBERS), fn.split(ids, ",").try_cast("array<bigint>"))
