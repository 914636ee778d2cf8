"""Edit summaries as plain text: the section split off, markup flattened, nothing that hides or reorders text."""

from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as fn

from spark_jobs.transforms.entities import decode

MAX_COMMENT_LENGTH: Final = 1000
"""Characters kept of a summary. MediaWiki itself stops at 500; an abuse log's may be longer."""

MAX_SECTION_LENGTH: Final = 255

MAX_RAW_LENGTH: Final = 4 * MAX_COMMENT_LENGTH
"""Characters looked at: whatever a payload holds, no search over its summary takes long."""

# No blanks beside the lazy group: a long run of them would be divided up in every way.
_AUTOCOMMENT: Final = r"(?s)^\s*+/\*(.*?)\*/"
_INNER_SECTION: Final = r"(?s)/\*\s*+(.*?)\s?\*/"
# Wikibase writes what was done in the same form: `/* wbsetdescription-add:1|en */`, `/* undo:0||123|A */`.
_WIKIBASE: Final = r"^\s*+[a-z][a-z-]*:\d*\|"
_LEAD: Final = "top"

_LINK: Final = r"\[\[:?(?:[^\[\]]*\|)?([^\[\]|]+)\|?\]\]"
_EXTERNAL_LINK: Final = r"\[(?:https?:)?//[^\s\[\]]+\s+([^\[\]]+)\]"
_TAGS: Final = r"(?s)<!--.*?(?:-->|$)|</?[A-Za-z][^<>]*>"
_MARKUP: Final = r"\[\[|\]\]|'{2,}"
# Bidirectional marks, embeddings, overrides and isolates, zero-width space, word joiner, soft hyphen, byte order mark.
# Joiners (U+200C, U+200D) are letters' business and stay.
_INVISIBLE: Final = r"[\u200b\u200e\u200f\u061c\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]"
_BLANKS: Final = r"[\s\p{Cc}\p{Z}]+"


def section(comment: Column) -> Column:
    """The section an edit summary begins with, as plain text; null when it names none.

    `top` is the editor's word for "before the first section", and Wikibase's autocomments are no sections: both null.
    """
    name = fn.regexp_extract(comment, _AUTOCOMMENT, 1)
    text = fn.left(_plain(name), fn.lit(MAX_SECTION_LENGTH))
    return fn.when((name != "") & ~name.rlike(_WIKIBASE), fn.nullif(fn.nullif(text, fn.lit("")), fn.lit(_LEAD)))


def clean(comment: Column) -> Column:
    """The edit summary without its leading section, as plain text, at most MAX_COMMENT_LENGTH; "" without one."""
    rest = fn.regexp_replace(fn.regexp_replace(comment, _AUTOCOMMENT, ""), _INNER_SECTION, "$1: ")
    return fn.coalesce(fn.left(_plain(rest), fn.lit(MAX_COMMENT_LENGTH)), fn.lit(""))


def _plain(text: Column) -> Column:
    # Links twice: a caption of an image link holds links itself.
    linked = fn.regexp_replace(fn.regexp_replace(text, _LINK, "$1"), _LINK, "$1")
    untagged = fn.regexp_replace(fn.regexp_replace(linked, _EXTERNAL_LINK, "$1"), _TAGS, " ")
    visible = fn.regexp_replace(decode(fn.regexp_replace(untagged, _MARKUP, "")), _INVISIBLE, "")
    return fn.trim(fn.regexp_replace(visible, _BLANKS, " "))
