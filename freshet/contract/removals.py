"""What may be removed, and how it is named without keeping what it is called."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple


class Kind(StrEnum):
    """What a removal is of."""

    PAGE = "page"
    REVISION = "revision"
    USER = "user"
    EVENT = "event"


class Origin(StrEnum):
    """Who asked: a log event of the stream, or somebody by hand."""

    STREAM = "stream"
    HAND = "hand"


GONE: Final = ("delete", "delete_redir", "delete_redir2")
"""Actions of a log of deletions after which there is no page."""

RESTORED: Final = "restore"
REVISION: Final = "revision"
"""The action that shows or hides revisions of a page."""

LOGS: Final = ("delete", "suppress")
HIDING: Final = 1 | 2 | 4
"""Bits of a revision's visibility: text, comment, user."""

ANY_WIKI: Final = ""

NAMED_BY: Final = (
    (Kind.PAGE, "wiki", "title"),
    (Kind.REVISION, "wiki", "revision_id"),
    (Kind.USER, "wiki", "user_name"),
    (Kind.USER, ANY_WIKI, "user_name"),
    (Kind.USER, "wiki", "reverted_user"),
    (Kind.USER, ANY_WIKI, "reverted_user"),
    (Kind.EVENT, ANY_WIKI, "event_id"),
)
"""The targets of a row of silver or gold: kind, the column of the wiki or ANY_WIKI, and the column of the name."""


class Standing(NamedTuple):
    """What is removed for good: what has this target and happened no later than `until`.

    `lake_at`: when the lake was last searched for it.
    """

    target: str
    kind: str
    origin: str
    until: datetime
    lake_at: datetime | None = None


def target(kind: Kind, wiki: str, name: object) -> str:
    """sha256 of what is removed, hexadecimal: it can be looked for, and is not kept by its name."""
    return hashlib.sha256("\n".join((kind, wiki, str(name))).encode()).hexdigest()


def targets(row: Mapping[str, Any]) -> list[str]:
    """Every target that a removal of this row may name. `spark_jobs.transforms.removals` makes the same."""
    named = ((kind, row[wiki] if wiki else ANY_WIKI, row[name]) for kind, wiki, name in NAMED_BY)
    return [target(kind, wiki, name) for kind, wiki, name in named if None not in (wiki, name)]
