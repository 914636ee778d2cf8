"""Of how many edits it is known what their page is about, and how long that took."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import Connection, sql

from freshet.contract import topics
from freshet.store import models


@dataclass(frozen=True)
class Share:
    """Documents that came live in a window.

    Of `answered` ones the page was asked about; `found_by_page` ones are found by the vector of what was said. The
    percentiles are milliseconds from received to that, None without any.
    """

    documents: int
    answered: int
    found_by_page: int
    p50: float | None
    p95: float | None
    p99: float | None


def share(connection: Connection, since: datetime, until: datetime) -> Share:
    """Of the documents received in `[since, until)`. Raises PermanentError before there is a model."""
    table = models.active_of(connection).page_table.name
    given = (since, until, topics.BACKFILL)
    documents, answered, found, took = connection.execute(_SHARE.format(table=sql.Identifier(table)), given).fetchall()[
        0
    ]
    return Share(documents, answered, found, *(round(one, 1) for one in took) if took else (None, None, None))


def unfinished(connection: Connection) -> int:
    """How many documents' pages are still to be asked about, or wait for the vector of what was said."""
    table = models.active_of(connection).page_table.name
    return int(connection.execute(_UNFINISHED.format(table=sql.Identifier(table))).fetchall()[0][0])


_SHARE: Final = sql.SQL("""
WITH came AS (
    SELECT p.fetched_at, v.made_at,
        1000 * extract(epoch FROM greatest(d.searchable_at, v.made_at) - d.received_at)::float8 AS ms
    FROM documents d LEFT JOIN pages p USING (wiki, title) LEFT JOIN {table} v ON v.content_hash = p.content_hash
    WHERE d.received_at >= %s AND d.received_at < %s AND d.source <> %s
)
SELECT count(*), count(fetched_at), count(made_at),
    percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ms) FILTER (WHERE made_at IS NOT NULL)
FROM came""")

_UNFINISHED: Final = sql.SQL("""
SELECT count(*) FROM documents d LEFT JOIN pages p USING (wiki, title)
LEFT JOIN {table} v ON v.content_hash = p.content_hash
WHERE p.fetched_at IS NULL OR p.content_hash IS NOT NULL AND v.content_hash IS NULL""")
