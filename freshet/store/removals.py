"""Removing documents for good: the register of what is removed, and keeping out what it covers.

Whoever writes documents holds a lock that many may share; whoever removes holds it alone. So no document is written by
somebody who has not seen a removal of it, and none is missed by a removal.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection, sql

from freshet.contract.removals import Kind, Origin, Standing, target, targets
from freshet.store.failures import translated
from freshet.store.locks import Lock

ANSWER_REMOVED: Final = "This answer cited an edit that was removed since."


@dataclass(frozen=True)
class Removal:
    """What hides, or `lifts` what hid: a page, revisions, a user or an event, by their names.

    It is of what happened until a time. `event_id` is the log event that says so.
    """

    kind: Kind
    wiki: str
    names: Sequence[str]
    until: datetime
    origin: Origin = Origin.STREAM
    lifts: bool = False
    event_id: str | None = None

    @property
    def targets(self) -> list[str]:
        """A target for each name."""
        return [target(self.kind, self.wiki, name) for name in self.names]


class Gone(NamedTuple):
    """A document that was taken away or kept out."""

    doc_id: str
    content_hash: str


def share(connection: Connection) -> None:
    """Wait until nobody removes, and have whoever removes wait for the end of this transaction."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (Lock.REMOVING,))


def alone(connection: Connection) -> None:
    """Wait until nobody writes documents, and have whoever writes wait for the end of this transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (Lock.REMOVING,))


def enter(connection: Connection, removals: Sequence[Removal]) -> list[Gone]:
    """Enter removals into the register and take away what they cover, first of all in the caller's transaction.

    Vectors are left to the caller. Of removals of the same target the newest counts, whenever it arrives.
    """
    alone(connection)
    gone: list[Gone] = []
    for removal in removals:
        connection.execute(_ENTER, _given(removal))
        if not removal.lifts:
            gone += _take_away(connection, removal)
    return gone


def keep_out(connection: Connection, documents: Collection[Mapping[str, Any]]) -> list[Gone]:
    """Those of the documents that a removal covers, noted as removed. Within the caller's transaction."""
    named = [(document, one) for document in documents for one in targets(document)]
    rows = connection.execute(
        _KEEP_OUT,
        {
            "targets": [one for _, one in named],
            **{name: [document[name] for document, _ in named] for name in _NOTED},
        },
    ).fetchall()
    return [Gone(*row) for row in rows]


def written(connection: Connection, doc_ids: Collection[str]) -> None:
    """These are documents again: a removal was lifted."""
    connection.execute("DELETE FROM removed_events WHERE event_id = ANY(%s)", (list(doc_ids),))


def preview(connection: Connection, removal: Removal) -> dict[str, int]:
    """How many documents and answers a removal would change. Nothing is."""
    rows = connection.execute(_COVERED.format(named=_NAMED[removal.kind]), _given(removal)).fetchall()
    ids = [row[0] for row in rows]
    (answers,) = connection.execute("SELECT count(*) FROM answers WHERE doc_ids && %s", (ids,)).fetchall()
    return {"documents": len(ids), "answers": int(answers[0])}


def standing(conninfo: str) -> list[Standing]:
    """What is removed. Raises TransientError when Postgres is away."""
    with translated(), psycopg.connect(conninfo) as connection:
        return [Standing(*row) for row in connection.execute(_STANDING).fetchall()]


def _take_away(connection: Connection, removal: Removal) -> list[Gone]:
    rows = connection.execute(_TAKE_AWAY.format(named=_NAMED[removal.kind]), _given(removal)).fetchall()
    gone = [Gone(*row) for row in rows]
    ids, hashes = [one.doc_id for one in gone], [one.content_hash for one in gone]
    connection.execute(_FORGET_TEXTS, {"hashes": hashes})
    connection.execute(_FORGET_ANSWERS, {"ids": ids, "words": ANSWER_REMOVED})
    if removal.kind is Kind.PAGE and removal.origin is Origin.HAND:
        given = {"wiki": removal.wiki, "titles": list(removal.names)}
        connection.execute("DELETE FROM pages WHERE wiki = %(wiki)s AND title = ANY(%(titles)s)", given)
        connection.execute(_FORGET_MOVES, given)
    return gone


def _given(removal: Removal) -> dict[str, Any]:
    return {
        "targets": removal.targets,
        "names": list(removal.names),
        "origin": removal.origin,
        "kind": removal.kind,
        "wiki": removal.wiki,
        "until": removal.until,
        "lifted": removal.lifts,
        "event_id": removal.event_id,
    }


_NOTED: Final = ("doc_id", "content_hash", "event_time", "raw_topic", "raw_partition", "raw_offset")

_ENTER: Final = """
INSERT INTO removals (target, origin, kind, wiki, until, lifted, event_id)
SELECT target, %(origin)s, %(kind)s, %(wiki)s, %(until)s, %(lifted)s, %(event_id)s
FROM unnest(%(targets)s::text[]) AS new (target) ORDER BY target
ON CONFLICT (target, origin) DO UPDATE SET (until, lifted, event_id, noted_at, lake_at)
    = (EXCLUDED.until, EXCLUDED.lifted, EXCLUDED.event_id, now(), NULL)
WHERE removals.until < EXCLUDED.until
   OR removals.until = EXCLUDED.until AND removals.event_id IS DISTINCT FROM EXCLUDED.event_id"""

_NAMED: Final = {
    Kind.PAGE: sql.SQL("d.wiki = %(wiki)s AND d.title = w.name"),
    Kind.REVISION: sql.SQL("d.wiki = %(wiki)s AND d.revision_id = w.name::bigint"),
    Kind.USER: sql.SQL("(%(wiki)s = '' OR d.wiki = %(wiki)s) AND (d.user_name = w.name OR d.reverted_user = w.name)"),
    Kind.EVENT: sql.SQL("d.doc_id = w.name"),
}

_TAKE_AWAY: Final = sql.SQL("""
WITH gone AS (
    DELETE FROM documents d
    USING unnest(%(targets)s::text[], %(names)s::text[]) AS w (target, name) JOIN removals r USING (target)
    WHERE r.origin = %(origin)s AND NOT r.lifted AND d.event_time <= r.until AND {named}
    RETURNING d.doc_id, d.content_hash, r.target, r.origin, r.kind, d.raw_topic, d.raw_partition, d.raw_offset
), noted AS (
    INSERT INTO removed_events (event_id, target, origin, kind, raw_topic, raw_partition, raw_offset)
    SELECT doc_id, target, origin, kind, raw_topic, raw_partition, raw_offset FROM gone
    ON CONFLICT DO NOTHING
)
SELECT doc_id, content_hash FROM gone""")

_COVERED: Final = sql.SQL("""
SELECT d.doc_id FROM documents d, unnest(%(names)s::text[]) AS w (name)
WHERE d.event_time <= %(until)s AND {named}""")

_KEEP_OUT: Final = """
WITH covered AS (
    SELECT DISTINCT ON (doc_id) doc_id, content_hash, r.target, r.origin, r.kind, raw_topic, raw_partition, raw_offset
    FROM unnest(%(targets)s::text[], %(doc_id)s::text[], %(content_hash)s::text[], %(event_time)s::timestamptz[],
        %(raw_topic)s::text[], %(raw_partition)s::integer[], %(raw_offset)s::bigint[])
        AS new (target, doc_id, content_hash, event_time, raw_topic, raw_partition, raw_offset)
    JOIN removals r USING (target)
    WHERE NOT r.lifted AND new.event_time <= r.until
    ORDER BY doc_id, r.origin, r.target
), noted AS (
    INSERT INTO removed_events (event_id, target, origin, kind, raw_topic, raw_partition, raw_offset)
    SELECT doc_id, target, origin, kind, raw_topic, raw_partition, raw_offset FROM covered
    ON CONFLICT (event_id) DO UPDATE SET lake_at = NULL
)
SELECT doc_id, content_hash FROM covered"""

# The texts that wait for a vector; those that another document has as well go on waiting.
_FORGET_TEXTS: Final = """
DELETE FROM pending_embeddings p
WHERE p.content_hash = ANY(%(hashes)s) AND p.texts = 'documents'
  AND NOT EXISTS (SELECT FROM documents d WHERE d.content_hash = p.content_hash)"""

_FORGET_ANSWERS: Final = "UPDATE answers SET answer = %(words)s, doc_ids = '{}' WHERE doc_ids && %(ids)s"

_FORGET_MOVES: Final = "UPDATE pages SET moved_to = NULL WHERE wiki = %(wiki)s AND moved_to = ANY(%(titles)s)"

_STANDING: Final = "SELECT target, kind, origin, until, lake_at FROM removals WHERE NOT lifted"
