"""What a search is narrowed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql

from freshet.contract.pages import Page


@dataclass(frozen=True)
class Filters:
    """What the documents are narrowed to. Empty and None mean: not at all. `until` is exclusive."""

    wikis: Sequence[str] = ()
    languages: Sequence[str] = ()
    namespaces: Sequence[int] = ()
    user_kinds: Sequence[str] = ()
    minor: bool | None = None
    pages: Sequence[Page] = ()
    since: datetime | None = None
    until: datetime | None = None

    def any(self) -> bool:
        """Whether anything is narrowed."""
        return bool(_set(self))

    def parameters(self) -> Mapping[str, Any]:
        """The values of the condition that `where` makes."""
        return {
            "wikis": list(self.wikis),
            "languages": list(self.languages),
            "namespaces": list(self.namespaces),
            "user_kinds": list(self.user_kinds),
            "minor": self.minor,
            "page_wikis": [page.wiki for page in self.pages],
            "page_titles": [page.title for page in self.pages],
            "since": self.since,
            "until": self.until,
        }


def where(filters: Filters) -> sql.Composable:
    """The filters that are set, as a condition on documents `d` with named parameters."""
    conditions = _set(filters)
    return sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")


def _set(filters: Filters) -> list[sql.SQL]:
    return [sql.SQL(text) for name, text in _CONDITIONS.items() if getattr(filters, name) not in (None, (), [])]


_CONDITIONS: Final = {
    "wikis": "d.wiki = ANY(%(wikis)s)",
    "languages": "d.language = ANY(%(languages)s)",
    "namespaces": "d.namespace = ANY(%(namespaces)s)",
    "user_kinds": "d.user_kind = ANY(%(user_kinds)s)",
    "minor": "d.minor = %(minor)s",
    "pages": "(d.wiki, d.title) IN (SELECT * FROM unnest(%(page_wikis)s::text[], %(page_titles)s::text[]))",
    "since": "d.event_time >= %(since)s",
    "until": "d.event_time < %(until)s",
}
