"""Silver -> gold: one AI-ready document per content edit."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as fn

from freshet.contract import schemas
from freshet.contract.documents import CONTENT_TYPES, DocumentRule
from spark_jobs.transforms.automatic_summaries import AUTOMATIC

LARGE_REMOVAL_BYTES: Final = 5000
HALVING_REMOVAL_BYTES: Final = 500
"""A removal is large from 5,000 bytes on, or from 500 when more than half of the page went."""


def gold(silver: DataFrame, rule: DocumentRule) -> DataFrame:
    """`schemas.GOLD` of the silver rows that the rule admits."""
    return documents(silver.where(admitted(rule))).select(*schemas.names(schemas.GOLD))


def admitted(rule: DocumentRule) -> Column:
    """Whether a silver row belongs in gold: `DocumentRule.admits` as a Column, never null."""
    belongs = (
        fn.col("type").isin(*CONTENT_TYPES)
        & fn.col("namespace").isin(*rule.namespaces)
        & (fn.col("user_kind") != "bot")
        & (fn.col("title") != "")
        & fn.col("wiki").rlike(rule.wiki_regex)
    )
    return fn.coalesce(belongs, fn.lit(False))


def documents(rows: DataFrame) -> DataFrame:
    """The rows with gold's columns beside silver's, whether or not they belong in gold."""
    worded = rows.withColumn("text", text())
    return worded.withColumns(
        {
            "doc_id": fn.col("event_id"),
            "content_hash": fn.sha2("text", 256),
            "quality_flags": quality_flags(),
        }
    )


def text() -> Column:
    """The text to embed: title, section and summary as sentences."""
    return fn.concat_ws(
        ". ",
        fn.rtrim("title", fn.lit(".")),
        fn.rtrim("section", fn.lit(".")),
        fn.nullif(fn.col("comment"), fn.lit("")),
    )


def quality_flags() -> Column:
    """no_summary, automatic_summary, large_removal, blanked: those that hold, in this order."""
    delta, old, new = fn.col("bytes_delta"), fn.col("bytes_old"), fn.col("bytes_new")
    removal = (delta <= -LARGE_REMOVAL_BYTES) | ((delta <= -HALVING_REMOVAL_BYTES) & (new < old / 2))
    flags = (
        fn.when(fn.col("comment") == "", "no_summary"),
        fn.when(fn.col("comment").rlike(AUTOMATIC), "automatic_summary"),
        fn.when(removal, "large_removal"),
        fn.when((new == 0) & (old > 0), "blanked"),
    )
    return fn.array_compact(fn.array(*flags))
