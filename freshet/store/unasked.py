"""Pages whose edits are in the store and about which nothing was answered yet: to be asked about beside the stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row, scalar_row

from freshet.contract.pages import Page


@dataclass(frozen=True)
class Wanted:
    """Pages with an edit from `since` on and before `until`, of these wikis (none named: of all); with `stale` also
    those whose answer has become old."""

    since: datetime | None = None
    until: datetime | None = None
    wikis: tuple[str, ...] = ()
    stale: bool = False


class Between(NamedTuple):
    """Pages after one and up to another, in the order of their keys; None: without a bound."""

    after: Page | None = None
    upto: Page | None = None


EVERY_PAGE: Final = Between()


@dataclass(frozen=True)
class Unasked:
    """A page, the time of its newest edit, and how often it was asked about in vain by now."""

    wiki: str
    title: str
    event_time: datetime
    attempts: int

    @property
    def page(self) -> Page:
        """Its key."""
        return Page(self.wiki, self.title)


@dataclass(frozen=True)
class Outcome:
    """What became of some pages: answered with a description or without one, asked about in vain, not asked about yet.
    `answered_at` is when anybody was answered last, `error` that of the last attempt for one of these."""

    described: int
    missing: int
    failing: int
    waiting: int
    answered_at: datetime | None
    error: str | None


def count(connection: Connection, wanted: Wanted) -> Mapping[str, int]:
    """How many there are of each wiki."""
    return dict(connection.execute(_COUNT, _bound(wanted, EVERY_PAGE)).fetchall())


def cut(connection: Connection, wanted: Wanted, pages: int) -> list[Between]:
    """Ranges with so many pages each, the last with what is left and whatever comes after it; [] for none."""
    given = {**_bound(wanted, EVERY_PAGE), "pages": pages}
    ends = [Page(*row) for row in connection.execute(_CUT, given)]
    bounds: list[Page | None] = [None, *ends[:-1]]
    return [Between(*ends) for ends in zip(bounds, [*bounds[1:], None], strict=True)] if ends else []


def within(connection: Connection, wanted: Wanted, between: Between) -> Sequence[Unasked]:
    """Those of a range, in the order of their keys."""
    with connection.cursor(row_factory=class_row(Unasked)) as cursor:
        return cursor.execute(_WITHIN, _bound(wanted, between)).fetchall()


def outcome(connection: Connection, pages: Sequence[Unasked], attempts: int) -> Outcome:
    """What became of these since. One that was asked about in vain so often since is failing."""
    given = {
        "wikis": [one.wiki for one in pages],
        "titles": [one.title for one in pages],
        "before": [one.attempts for one in pages],
        "attempts": attempts,
    }
    with connection.cursor(row_factory=class_row(Outcome)) as cursor:
        return cursor.execute(_OUTCOME, given).fetchall()[0]


def commonest_error(connection: Connection) -> str | None:
    """The error that most of the pages have that were asked about in vain; None when there is none."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(COMMONEST_ERROR).fetchone()


def _bound(wanted: Wanted, between: Between) -> Mapping[str, Any]:
    after, upto = between.after or Page("", ""), between.upto
    return {
        "since": wanted.since,
        "until": wanted.until,
        "wikis": list(wanted.wikis),
        "stale": wanted.stale,
        "after_wiki": after.wiki,
        "after_title": after.title,
        "upto_wiki": upto and upto.wiki,
        "upto_title": upto and upto.title,
    }


# Of a page that was deleted nothing is known and nothing is to be asked.
_UNASKED: Final = sql.SQL("""
    SELECT d.wiki, d.title, max(d.event_time) AS event_time, coalesce(max(p.attempts), 0) AS attempts
    FROM documents d LEFT JOIN pages p ON p.wiki = d.wiki AND p.title = d.title
    WHERE (d.wiki, d.title) > (%(after_wiki)s, %(after_title)s)
        AND (%(upto_wiki)s::text IS NULL OR (d.wiki, d.title) <= (%(upto_wiki)s, %(upto_title)s))
        AND (%(since)s::timestamptz IS NULL OR d.event_time >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR d.event_time < %(until)s)
        AND (cardinality(%(wikis)s::text[]) = 0 OR d.wiki = ANY(%(wikis)s))
        AND (p.wiki IS NULL OR (p.fetched_at IS NULL AND p.due_at IS NOT NULL) OR (%(stale)s AND p.stale_at <= now()))
    GROUP BY d.wiki, d.title""")

_COUNT: Final = sql.SQL("SELECT wiki, count(*) FROM ({unasked}) AS unasked GROUP BY wiki").format(unasked=_UNASKED)
_CUT: Final = sql.SQL("""
SELECT wiki, title FROM (
    SELECT wiki, title, row_number() OVER (ORDER BY wiki, title) AS number, count(*) OVER () AS total
    FROM ({unasked}) AS unasked
) AS numbered WHERE number %% %(pages)s = 0 OR number = total ORDER BY wiki, title""").format(unasked=_UNASKED)
_WITHIN: Final = sql.SQL("{unasked} ORDER BY wiki, title").format(unasked=_UNASKED)

_OUTCOME: Final = """
SELECT count(*) FILTER (WHERE p.due_at IS NULL AND p.content_hash IS NOT NULL) AS described,
    count(*) FILTER (WHERE p.due_at IS NULL AND p.content_hash IS NULL) AS missing,
    count(*) FILTER (WHERE p.due_at IS NOT NULL AND p.attempts >= asked.before + %(attempts)s) AS failing,
    count(*) FILTER (WHERE p.due_at IS NOT NULL AND p.attempts < asked.before + %(attempts)s) AS waiting,
    (SELECT max(fetched_at) FROM pages) AS answered_at, max(p.error) AS error
FROM unnest(%(wikis)s::text[], %(titles)s::text[], %(before)s::integer[]) AS asked (wiki, title, before)
JOIN pages p ON p.wiki = asked.wiki AND p.title = asked.title"""

COMMONEST_ERROR: Final = """
SELECT error FROM pages WHERE due_at IS NOT NULL AND error IS NOT NULL GROUP BY error ORDER BY count(*) DESC LIMIT 1"""
