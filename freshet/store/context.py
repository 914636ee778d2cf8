"""The table `pages`: which pages were seen, what is known about each, and which is to be asked about next.

Rows are always written in the order of their key: two writers of the same pages wait for each other, never in a circle.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import Connection, sql
from psycopg.rows import class_row

from freshet.contract.pages import Description, Page, page_text, text_hash

NEW, STALE, BACKFILL = range(3)
"""Priorities, the first first."""

LONGEST_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Seen:
    """The newest edit of a page, and when it was received."""

    event_time: datetime
    received_at: datetime


@dataclass(frozen=True)
class Due:
    """A page to ask about, since when an edit waits for it, and the priority it has."""

    wiki: str
    title: str
    asked_since: datetime
    priority: int

    @property
    def page(self) -> Page:
        """Its key."""
        return Page(self.wiki, self.title)


@dataclass(frozen=True)
class Answered:
    """What was said of some pages; None where there is nothing to say. `origin` is who said it."""

    pages: Mapping[Page, Description | None]
    origin: str
    stale_after: timedelta
    missing_stale_after: timedelta


@dataclass(frozen=True)
class Known:
    """Pages of the store: `described` ones have a text to be found by, `missing` ones are known to have none,
    `waiting` ones are to be asked about, the one that waits longest since `oldest`; `failing` ones were asked in vain.
    `pending` texts of pages wait for their vector by the active model."""

    pages: int
    described: int
    missing: int
    waiting: int
    failing: int
    oldest: datetime | None
    pending: int


@dataclass(frozen=True)
class Waiting:
    """Pages to ask about, and since when an edit waits for the one that waits longest."""

    pages: int
    oldest: datetime | None


def note_seen(connection: Connection, seen: Mapping[Page, Seen], priority: int = NEW) -> int:
    """Have unknown and stale pages asked about. Returns how many of these need not be."""
    rows = sorted(seen.items())
    given = {
        "wikis": [page.wiki for page, _ in rows],
        "titles": [page.title for page, _ in rows],
        "times": [one.event_time for _, one in rows],
        "received": [one.received_at for _, one in rows],
        "priority": priority,
    }
    found = connection.execute(_NOTE_SEEN, given).fetchall()
    return sum(not due for (due,) in found)


def move(connection: Connection, wiki: str, old: str, new: str, event_time: datetime) -> None:
    """The page has another title. What is known goes with it, and is asked again when the page is edited; edits under
    the old title keep it. Within the caller's transaction."""
    known = connection.execute(_KNOWN_OF, (wiki, old)).fetchone()
    if known is None:
        return
    label, description = known
    text = page_text(new, label, description)
    given = {"wiki": wiki, "old": old, "new": new, "time": event_time, "text": text, "hash": text and text_hash(text)}
    connection.execute(_MOVE, given)
    connection.execute("UPDATE pages SET moved_to = %(new)s WHERE wiki = %(wiki)s AND title = %(old)s", given)
    if text:
        _await_vectors(connection, {text_hash(text): text})


def forget(connection: Connection, pages: Collection[Page]) -> int:
    """These were deleted: nothing is known about them, and nothing is asked before they are edited again."""
    given = {"wikis": [page.wiki for page in pages], "titles": [page.title for page in pages]}
    return connection.execute(_FORGET, given).rowcount


def claim(connection: Connection, limit: int, wiki: str | None = None) -> Sequence[Due]:
    """Pages to ask about now, one wiki after the other, so that a small one need not wait for a large one; of each
    the ones that wait longest. Nobody else gets them for a minute. `wiki` narrows them to one."""
    with connection.cursor(row_factory=class_row(Due)) as cursor:
        return cursor.execute(_CLAIM, {"limit": limit, "wiki": wiki}).fetchall()


def describe(connection: Connection, answered: Answered) -> None:
    """Keep what was said, and have the texts get their vectors. Within the caller's transaction."""
    rows = sorted(answered.pages.items())
    texts = [page_text(page.title, said.label, said.description) if said else None for page, said in rows]
    given = {
        "wikis": [page.wiki for page, _ in rows],
        "titles": [page.title for page, _ in rows],
        "items": [said.item_id if said else None for _, said in rows],
        "labels": [said.label if said else None for _, said in rows],
        "descriptions": [said.description if said else None for _, said in rows],
        "languages": [said.language if said else None for _, said in rows],
        "texts": texts,
        "hashes": [text_hash(text) if text else None for text in texts],
        "origin": answered.origin,
        "stale_after": answered.stale_after,
        "missing_stale_after": answered.missing_stale_after,
    }
    changed = {key for (key,) in connection.execute(_DESCRIBE, given).fetchall()}
    _await_vectors(connection, {text_hash(text): text for text in texts if text and text_hash(text) in changed})


def note_failure(connection: Connection, pages: Collection[Page], error: str) -> None:
    """These could not be asked about; each is tried again later, and later each time."""
    rows = sorted(pages)
    given = {
        "wikis": [page.wiki for page in rows],
        "titles": [page.title for page in rows],
        "error": error,
        "longest": LONGEST_WAIT,
    }
    connection.execute(_NOTE_FAILURE, given)


def release(connection: Connection, pages: Collection[Page]) -> None:
    """These were claimed and not asked about: they are due again at once."""
    given = {"wikis": [page.wiki for page in pages], "titles": [page.title for page in pages]}
    connection.execute(_RELEASE, given)


def known(connection: Connection) -> Known:
    """How much is known about pages."""
    with connection.cursor(row_factory=class_row(Known)) as cursor:
        return cursor.execute(KNOWN).fetchall()[0]


def waiting(connection: Connection) -> Waiting:
    """How much is to be asked: by an index of these alone, so that it may be called often."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(_WAITING).fetchall()[0]


def _await_vectors(connection: Connection, texts: Mapping[str, str]) -> None:
    rows = sorted(texts.items())
    connection.execute(_AWAIT, {"hashes": [key for key, _ in rows], "texts": [text for _, text in rows]})


_THESE: Final = sql.SQL("(wiki, title) IN (SELECT * FROM unnest(%(wikis)s::text[], %(titles)s::text[]))")

# A page whose newest edit was seen is not written again for one within the minute: most pages are busy ones.
_NOTE_SEEN: Final = sql.SQL("""
WITH seen AS (
    SELECT * FROM unnest(%(wikis)s::text[], %(titles)s::text[], %(times)s::timestamptz[], %(received)s::timestamptz[])
        AS s (wiki, title, event_time, received_at)
), written AS (
    INSERT INTO pages AS p (wiki, title, event_time, asked_since, due_at, priority)
    SELECT wiki, title, event_time, received_at, now(), %(priority)s FROM seen ORDER BY wiki, title
    ON CONFLICT (wiki, title) DO UPDATE SET
        event_time = greatest(p.event_time, EXCLUDED.event_time),
        due_at = CASE WHEN {stale} THEN now() ELSE p.due_at END,
        asked_since = CASE WHEN {stale} THEN EXCLUDED.asked_since ELSE p.asked_since END,
        priority = CASE WHEN {stale} THEN greatest(EXCLUDED.priority, (p.fetched_at IS NOT NULL)::int)
            ELSE least(p.priority, EXCLUDED.priority) END
    WHERE {stale} OR p.due_at IS NOT NULL AND p.priority > EXCLUDED.priority
        OR p.event_time < EXCLUDED.event_time - interval '1 minute'
    RETURNING wiki, title, due_at
)
SELECT CASE WHEN w.wiki IS NULL THEN p.due_at ELSE w.due_at END IS NOT NULL
FROM seen LEFT JOIN written w USING (wiki, title) LEFT JOIN pages p USING (wiki, title)""").format(
    stale=sql.SQL("p.due_at IS NULL AND (p.stale_at IS NULL OR p.stale_at <= now())")
)

_KNOWN_OF: Final = "SELECT label, description FROM pages WHERE wiki = %s AND title = %s FOR UPDATE"
_MOVE: Final = """
INSERT INTO pages AS p (wiki, title, event_time, asked_since, priority, fetched_at, stale_at, origin, item_id, label,
    description, language, text, content_hash)
SELECT wiki, %(new)s, %(time)s, now(), 1, fetched_at, now(), origin, item_id, label, description, language, %(text)s,
    %(hash)s
FROM pages WHERE wiki = %(wiki)s AND title = %(old)s
ON CONFLICT (wiki, title) DO UPDATE SET (fetched_at, stale_at, origin, item_id, label, description, language, text,
    content_hash, moved_to) = (EXCLUDED.fetched_at, EXCLUDED.stale_at, EXCLUDED.origin, EXCLUDED.item_id,
    EXCLUDED.label, EXCLUDED.description, EXCLUDED.language, EXCLUDED.text, EXCLUDED.content_hash, NULL)"""

_FORGET: Final = sql.SQL("""
UPDATE pages SET (due_at, fetched_at, stale_at, origin, item_id, label, description, language, moved_to, text,
    content_hash, attempts, error) = (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL)
WHERE {these}""").format(these=_THESE)

_CLAIM: Final = """
WITH turns AS (
    SELECT wiki, title, priority, due_at, row_number() OVER (PARTITION BY priority, wiki ORDER BY due_at, title) AS turn
    FROM pages WHERE due_at <= now() AND (%(wiki)s::text IS NULL OR wiki = %(wiki)s)
), chosen AS (
    SELECT wiki, title FROM turns ORDER BY priority, turn, due_at LIMIT %(limit)s
), held AS MATERIALIZED (
    SELECT wiki, title FROM pages JOIN chosen USING (wiki, title) ORDER BY wiki, title FOR UPDATE SKIP LOCKED
)
UPDATE pages p SET due_at = now() + interval '1 minute'
FROM held WHERE (p.wiki, p.title) = (held.wiki, held.title)
RETURNING p.wiki, p.title, p.asked_since, p.priority"""

_DESCRIBE: Final = """
WITH said AS (
    SELECT * FROM unnest(%(wikis)s::text[], %(titles)s::text[], %(items)s::text[], %(labels)s::text[],
        %(descriptions)s::text[], %(languages)s::text[], %(texts)s::text[], %(hashes)s::text[])
        AS s (wiki, title, item_id, label, description, language, text, content_hash)
)
UPDATE pages p SET (due_at, attempts, error, fetched_at, stale_at, origin, item_id, label, description, language, text,
    content_hash) = (NULL, 0, NULL, now(),
    now() + CASE WHEN said.item_id IS NULL THEN %(missing_stale_after)s ELSE %(stale_after)s END,
    %(origin)s, said.item_id, said.label, said.description, said.language, said.text, said.content_hash)
FROM said WHERE (p.wiki, p.title) = (said.wiki, said.title)
RETURNING CASE WHEN old.content_hash IS DISTINCT FROM new.content_hash THEN new.content_hash END"""

# 4, 8, 16 ... seconds after the first, second, third attempt.
_NOTE_FAILURE: Final = sql.SQL("""
UPDATE pages SET attempts = attempts + 1, error = %(error)s,
    due_at = now() + least(interval '2 seconds' * 2 ^ least(attempts + 1, 20), %(longest)s)
WHERE {these} AND due_at IS NOT NULL""").format(these=_THESE)

_RELEASE: Final = sql.SQL("UPDATE pages SET due_at = now() WHERE {these} AND due_at IS NOT NULL").format(these=_THESE)

# By every model that gets vectors of new texts. What has one already is found to when its turn comes.
_AWAIT: Final = """
INSERT INTO pending_embeddings (content_hash, model_id, texts, text, error, retry_at, attempts)
SELECT hash, model_id, 'pages', text, 'not embedded yet', now(), 0
FROM unnest(%(hashes)s::text[], %(texts)s::text[]) AS new (hash, text), embedding_models
WHERE state <> 'retired' ORDER BY hash, model_id
ON CONFLICT DO NOTHING"""

_WAITING: Final = "SELECT count(*) AS pages, min(asked_since) AS oldest FROM pages WHERE due_at IS NOT NULL"

KNOWN: Final = """
SELECT count(*) AS pages, count(content_hash) AS described,
    count(*) FILTER (WHERE fetched_at IS NOT NULL AND content_hash IS NULL) AS missing,
    count(due_at) AS waiting, count(*) FILTER (WHERE due_at IS NOT NULL AND attempts > 0) AS failing,
    min(asked_since) FILTER (WHERE due_at IS NOT NULL) AS oldest,
    (
        SELECT count(*) FROM pending_embeddings JOIN embedding_models USING (model_id)
        WHERE state = 'active' AND texts = 'pages'
    ) AS pending
FROM pages"""
