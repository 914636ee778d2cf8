"""Parsed -> silver: one event, typed and normalised."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as fn

from freshet.contract import schemas
from freshet.contract.removals import LOGS
from spark_jobs.transforms import comments, links, reverts
from spark_jobs.transforms.parse import VALID

MAX_NAME_LENGTH: Final = 512
"""Characters kept of a title or a user name. MediaWiki's own bound is 255 bytes and a namespace."""

MAX_WORD_LENGTH: Final = 128
"""Characters kept of a wiki, a domain or a type."""

_IPV4: Final = r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$"
_IPV6: Final = r"^(?=.*[0-9A-Fa-f])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}$"
_TEMPORARY: Final = r"^~\d{4}-\d"


def silver(parsed: DataFrame) -> DataFrame:
    """`schemas.SILVER` of the valid rows."""
    return events(parsed.where(fn.col("verdict") == VALID)).select(*schemas.names(schemas.SILVER))


def events(parsed: DataFrame) -> DataFrame:
    """Silver's columns for every row, whatever its verdict, beside `verdict`, `error`, `key`, `value`, `sse_id` and
    `log_params`, which is null but of an event of the logs of deletions.

    One pass for all that is made of a row, which then goes where it belongs; unless the row is valid, silver's columns
    may be null.
    """
    event = fn.col("event")
    comment = fn.left(fn.coalesce(event["comment"], fn.lit("")), fn.lit(comments.MAX_RAW_LENGTH))
    typed = parsed.withColumns(
        {
            "old": event["revision"]["old"].try_cast("bigint"),
            "new": event["revision"]["new"].try_cast("bigint"),
            "bytes_old": event["length"]["old"].try_cast("bigint"),
            "bytes_new": event["length"]["new"].try_cast("bigint"),
            "name": _word(event["title"], MAX_NAME_LENGTH),
            "user_name": _word(event["user"], MAX_NAME_LENGTH),
            "domain": _word(fn.coalesce(event["meta"]["domain"], event["server_name"])),
        }
    ).withColumn("language", links.language(fn.col("domain")))
    typed = typed.withColumn("signal", fn.when(event["type"] == "edit", reverts.signal(comment, fn.col("language"))))
    server = links.host(fn.col("domain"))
    signal = fn.col("signal")
    made = {
        "event_id": _word(event["meta"]["id"]),
        "wiki": _word(event["wiki"]),
        "type": _word(event["type"]),
        "namespace": event["namespace"].try_cast("int"),
        "title": fn.col("name"),
        "user_kind": user_kind(event["bot"].try_cast("boolean"), fn.col("user_name")),
        "minor": event["minor"].try_cast("boolean"),
        "comment": comments.clean(comment),
        "section": comments.section(comment),
        "bytes_delta": _delta(event["type"], fn.col("bytes_old"), fn.col("bytes_new")),
        "revision_id": fn.col("new"),
        "parent_revision_id": fn.col("old"),
        "page_url": links.page_url(event["meta"]["uri"], server, fn.col("name")),
        "diff_url": links.diff_url(
            server, _word(event["server_script_path"]), event["type"], fn.col("old"), fn.col("new")
        ),
        "revert_kind": reverts.kind(signal),
        "reverted_user": fn.when(signal.isNotNull(), _word(reverts.reverted_user(signal, comment), MAX_NAME_LENGTH)),
        "reverted_revision_id": reverts.reverted_revision(signal),
        "restored_revision_id": reverts.restored_revision(signal),
        "log_type": _word(event["log_type"]),
        "log_action": _word(event["log_action"]),
        "raw_topic": fn.col("topic"),
        "raw_partition": fn.col("partition"),
        "raw_offset": fn.col("offset"),
        "raw_timestamp": fn.col("kafka_timestamp"),
        "transform_version": fn.lit(schemas.TRANSFORM_VERSION),
    }
    columns = [made[name].alias(name) if name in made else fn.col(name) for name in schemas.names(schemas.SILVER)]
    params = fn.when(event["log_type"].isin(*LOGS), event["log_params"]).alias("log_params")
    return typed.select("verdict", "error", "key", "value", "sse_id", params, *columns)


def user_kind(bot: Column, name: Column) -> Column:
    """bot, ip, temporary or registered; null when nobody is named."""
    return (
        fn.when(bot, "bot")
        .when(name.rlike(_IPV4) | name.rlike(_IPV6), "ip")
        .when(name.rlike(_TEMPORARY), "temporary")
        .when(name.isNotNull(), "registered")
    )


def _delta(type: Column, old: Column, new: Column) -> Column:
    before = fn.when((type == "new") & old.isNull(), fn.lit(0).cast("bigint")).otherwise(old)
    return fn.try_subtract(new, before)


def _word(text: Column, length: int = MAX_WORD_LENGTH) -> Column:
    """Trimmed and bounded, without NUL (which Postgres refuses); null when nothing is left."""
    return fn.nullif(fn.left(fn.trim(fn.replace(text, fn.lit("\0"), fn.lit(""))), fn.lit(length)), fn.lit(""))
