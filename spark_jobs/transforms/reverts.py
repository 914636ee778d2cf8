"""What an edit undoes, read from its raw summary: which kind, whose edit, which revision."""

from itertools import chain
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as fn

from spark_jobs.transforms.revert_patterns import RESTORE, ROLLBACK, UNDO, by_language

_KINDS: Final[dict[str, dict[str, tuple[str, ...]]]] = {"undo": UNDO, "restore": RESTORE, "rollback": ROLLBACK}
# A quarter of all edits are Wikibase's, whose own words begin so, full of links and numbers.
_WIKIBASE: Final = "/* wb"
# Every pattern needs a link with a text or a revision number: most summaries have neither and cost one search.
_WORTH_LOOKING: Final = r"\|[^\[\]]+\]\]|\d{5}|^/\* (?:undo|restore):"
# A link to contributions or to a user page shows its own target: `[[Special:Contributions/A|A]]`, `[[User:A|A]]`.
_USER_LINK: Final = r"\[\[:?[^\[\]|:/]+:(?:[^\[\]|/]+/)?((?!\d{5,}\|)[^\[\]|]+)\|\1\]\]"
_CONTRIBUTIONS: Final = r"(?i)\[\[:?[^\[\]|:/]+:contrib[^\[\]|/]*/([^\[\]|]+)"
_WIKIBASE_USER: Final = r"^/\* undo:\d*\|[^|]*\|\d+\|([^|*]+?) *\*/"


def signal(comment: Column, language: Column) -> Column:
    """`kind:words` of a raw summary, the words being what it was recognised by; null when it undoes nothing.

    One text, so that the summary is searched once for all the columns made from it.
    """
    found = (
        fn.nullif(fn.call_function("regexp_extract", comment, _regex(patterns, language), fn.lit(0)), fn.lit(""))
        for patterns in _KINDS.values()
    )
    named = (fn.concat(fn.lit(f"{kind}:"), words) for kind, words in zip(_KINDS, found, strict=True))
    return fn.when(~comment.startswith(_WIKIBASE) & comment.rlike(_WORTH_LOOKING), fn.coalesce(*named))


def kind(signal: Column) -> Column:
    """undo, rollback or restore."""
    return fn.substring_index(signal, ":", 1)


def reverted_user(signal: Column, comment: Column) -> Column:
    """Whose edit is undone; null for a restore, whose summary names the author of what is kept."""
    named = fn.coalesce(*(_first(comment, pattern) for pattern in (_WIKIBASE_USER, _USER_LINK, _CONTRIBUTIONS)))
    return fn.when(kind(signal).isin("undo", "rollback"), named)


def reverted_revision(signal: Column) -> Column:
    """The revision that an undo names."""
    return fn.when(kind(signal) == "undo", _revision(signal))


def restored_revision(signal: Column) -> Column:
    """The revision that a restore, or a tool's rollback, names."""
    return fn.when(kind(signal) != "undo", _revision(signal))


def _revision(signal: Column) -> Column:
    return fn.regexp_extract(signal, r"(\d{2,})$", 1).try_cast("bigint")


def _first(text: Column, pattern: str) -> Column:
    return fn.nullif(fn.trim(fn.regexp_extract(text, pattern, 1)), fn.lit(""))


def _regex(patterns: dict[str, tuple[str, ...]], language: Column) -> Column:
    """The expression of the language, else of every wiki."""
    regexes = by_language(patterns)
    table = fn.create_map(*(fn.lit(part) for part in chain.from_iterable(regexes.items())))
    return fn.coalesce(fn.try_element_at(table, language), fn.lit(regexes[""]))
