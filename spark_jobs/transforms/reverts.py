"""What an edit undoes, read from its raw summary: which kind, whose edit, which revision."""

from functools import reduce
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as fn

from spark_jobs.transforms.revert_patterns import PATTERNS, ROLLBACK, UNDO

# Every pattern needs a link or a revision number: most summaries have neither and cost one search.
_WORTH_LOOKING: Final = r"\[\[|\d{5}|^/\* (?:undo|restore):"
# A link to contributions or to a user page shows its own target: `[[Special:Contributions/A|A]]`, `[[User:A|A]]`.
_USER_LINK: Final = r"\[\[:?[^\[\]|:/]+:(?:[^\[\]|/]+/)?((?!\d{5,}\|)[^\[\]|]+)\|\1\]\]"
_CONTRIBUTIONS: Final = r"(?i)\[\[:?[^\[\]|:/]+:contrib[^\[\]|/]*/([^\[\]|]+)"
_WIKIBASE_USER: Final = r"^/\* undo:\d*\|[^|]*\|\d+\|([^|*]+?) *\*/"


def signal(comment: Column) -> Column:
    """`kind:revision` of a raw summary, such as `undo:123` or `rollback:`; null when it undoes nothing.

    One text, so that the patterns are searched once for all columns made from it.
    """
    tried = reduce(
        lambda found, pattern: found.when(
            comment.rlike(pattern.regex),
            fn.concat(fn.lit(f"{pattern.kind}:"), fn.regexp_extract(comment, pattern.regex, 1)),
        ),
        PATTERNS,
        fn.when(fn.lit(False), fn.lit("")),
    )
    return fn.when(comment.rlike(_WORTH_LOOKING), tried)


def kind(signal: Column) -> Column:
    """undo, rollback or restore."""
    return fn.substring_index(signal, ":", 1)


def reverted_user(signal: Column, comment: Column) -> Column:
    """Whose edit is undone; null for a restore, whose summary names the author of what is kept."""
    named = fn.coalesce(*(_found(comment, pattern) for pattern in (_WIKIBASE_USER, _USER_LINK, _CONTRIBUTIONS)))
    return fn.when(kind(signal).isin(UNDO, ROLLBACK), named)


def reverted_revision(signal: Column) -> Column:
    """The revision that an undo names."""
    return fn.when(kind(signal) == UNDO, _revision(signal))


def restored_revision(signal: Column) -> Column:
    """The revision that a restore, or a tool's rollback, names."""
    return fn.when(kind(signal) != UNDO, _revision(signal))


def _revision(signal: Column) -> Column:
    return fn.substring_index(signal, ":", -1).try_cast("bigint")


def _found(text: Column, pattern: str) -> Column:
    return fn.nullif(fn.trim(fn.regexp_extract(text, pattern, 1)), fn.lit(""))
