"""Bronze -> parsed: every payload read as an event, and a verdict on it. Never raises, whatever the bytes."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as fn

from freshet.contract.rejections import Reason

VALID: Final = "valid"
CANARY: Final = "canary"
"""The two verdicts that are no `Reason`."""

MAX_EVENT_BYTES: Final = 1024 * 1024
"""A real event has a few kilobytes; a longer payload is not parsed. It also bounds every text made from it."""

MAX_ID_LENGTH: Final = 128
"""`meta.id` is a UUID of 36 characters; a key must fit into an index."""

# Leaves are STRING, which takes any JSON token: numbers as strings, strings as numbers and nested values all get in.
EVENT: Final = (
    "meta STRUCT<id: STRING, dt: STRING, domain: STRING, uri: STRING>, wiki STRING, type STRING, namespace STRING, "
    "title STRING, comment STRING, user STRING, bot STRING, minor STRING, "
    "length STRUCT<old: STRING, new: STRING>, revision STRUCT<old: STRING, new: STRING>, "
    "server_url STRING, server_name STRING, server_script_path STRING, log_type STRING, log_action STRING, "
    "log_params STRING, _corrupt STRING"
)
_STRICT: Final = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": "_corrupt",
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
}
_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$"
_EARLIEST: Final = "1970-01-01T00:00:00Z"


def parse(bronze: DataFrame) -> DataFrame:
    """Bronze plus `event` (struct of texts), `event_time`, `verdict` (valid, canary or a Reason) and `error` (text).

    `error` says what is wrong with a rejected row and is null otherwise.
    """
    fits = fn.length("value") <= MAX_EVENT_BYTES
    text = fn.when(fits, fn.try_validate_utf8(fn.col("value").cast("string")))
    read = bronze.withColumn("text", text).withColumn("event", fn.from_json("text", EVENT, _STRICT))
    timed = read.withColumn("event_time", event_time(fn.col("event.meta.dt")))
    judged = timed.withColumn("verdict", _verdict())
    return judged.withColumn("error", _error()).drop("text")


def event_time(text: Column) -> Column:
    """An ISO 8601 time with its zone as a timestamp; null when it is none or lies before 1970."""
    time = fn.when(text.rlike(_TIME), text.try_cast("timestamp"))
    return fn.when(time >= fn.lit(_EARLIEST).cast("timestamp"), time)


def _verdict() -> Column:
    """The first thing that is wrong, in the order in which a reader would notice."""
    meta = fn.col("event.meta")
    is_json = fn.try_parse_json("text").isNotNull()
    # from_json would take the first element of an array for the object.
    is_object = fn.col("text").rlike(r"^[ \t\r\n]*\{")
    # Both would take a value and overlook what follows.
    is_one = _has_elements(1, "]") & _has_elements(2, ",0]")
    return (
        fn.when(fn.length("value") > MAX_EVENT_BYTES, Reason.TOO_LARGE.value)
        .when(fn.col("text").isNull(), Reason.NOT_JSON.value)
        .when(~is_object & is_json & is_one, Reason.NOT_AN_OBJECT.value)
        .when(~is_object | ~is_one, Reason.NOT_JSON.value)
        # A member of an unexpected shape marks the row corrupt too: only a second parser tells that from bad JSON.
        .when(fn.col("event._corrupt").isNotNull() & ~is_json, Reason.NOT_JSON.value)
        .when(meta["domain"] == CANARY, CANARY)
        .when(_blank(meta["id"]) | (fn.length(meta["id"]) > MAX_ID_LENGTH), Reason.MISSING_EVENT_ID.value)
        .when(_blank(meta["dt"]), Reason.MISSING_EVENT_TIME.value)
        .when(fn.col("event_time").isNull(), Reason.BAD_EVENT_TIME.value)
        .when(_blank(fn.col("event.wiki")), Reason.MISSING_WIKI.value)
        .when(_blank(fn.col("event.type")), Reason.MISSING_TYPE.value)
        .otherwise(VALID)
    )


def _has_elements(many: int, after: str) -> Column:
    """Whether `text` and what comes after it are so many elements of an array. A text that ends the array before its
    own end is as many with anything after it."""
    array = fn.concat(fn.lit("["), "text", fn.lit(after))
    return fn.coalesce(fn.json_array_length(array) == many, fn.lit(False))


def _error() -> Column:
    """One short sentence for a human, per reason."""
    verdict = fn.col("verdict")
    id_length = fn.length(fn.col("event.meta.id")).cast("string")
    return (
        fn.when(verdict == Reason.TOO_LARGE, fn.concat(fn.length("value").cast("string"), fn.lit(" bytes")))
        .when((verdict == Reason.NOT_JSON) & fn.col("value").isNull(), "there is no payload")
        .when((verdict == Reason.NOT_JSON) & fn.col("text").isNull(), "the payload is not UTF-8")
        .when(verdict == Reason.NOT_JSON, "the payload is not JSON")
        .when(verdict == Reason.NOT_AN_OBJECT, "the payload is JSON, but not an object")
        .when(
            (verdict == Reason.MISSING_EVENT_ID) & ~_blank(fn.col("event.meta.id")),
            fn.concat(fn.lit("meta.id has "), id_length, fn.lit(" characters")),
        )
        .when(verdict == Reason.MISSING_EVENT_ID, "meta.id is absent, null or empty")
        .when(verdict == Reason.MISSING_EVENT_TIME, "meta.dt is absent, null or empty")
        .when(verdict == Reason.BAD_EVENT_TIME, fn.concat(fn.lit("meta.dt is "), fn.left("event.meta.dt", fn.lit(80))))
        .when(verdict == Reason.MISSING_WIKI, "wiki is absent, null or empty")
        .when(verdict == Reason.MISSING_TYPE, "type is absent, null or empty")
    )


def _blank(text: Column) -> Column:
    return fn.coalesce(fn.trim(text), fn.lit("")) == ""
