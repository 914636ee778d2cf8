"""Hybrid search over documents: by meaning and by words, fused, in one statement. All values are bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pgvector import HalfVector
from psycopg import AsyncConnection, sql
from psycopg.rows import class_row

from freshet.store.words import any_of, parse

CANDIDATES: Final = 100
"""How many documents each leg hands to the fusion, and how wide the vector index is searched."""

NEWEST_MATCHES: Final = 1000
"""How many of the newest word matches are ranked: the bound on a word that is in most documents."""

# Reciprocal rank fusion: 60 is the constant of the paper that introduced it (Cormack et al., 2009).
RRF_K: Final = 60


@dataclass(frozen=True)
class Filters:
    """What the documents are narrowed to. Empty and None mean: not at all. `until` is exclusive."""

    wikis: Sequence[str] = ()
    languages: Sequence[str] = ()
    namespaces: Sequence[int] = ()
    user_kinds: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Model:
    """The active embedding model of the store."""

    model_id: str
    dimensions: int
    table_name: str


@dataclass(frozen=True)
class Found:
    """One document that was found. `cosine` is None while its embedding is pending or no vector was asked with."""

    doc_id: str
    event_id: str
    title: str
    wiki: str
    language: str | None
    section: str | None
    comment: str
    text: str
    event_time: datetime
    user_kind: str
    bytes_delta: int | None
    page_url: str | None
    diff_url: str | None
    revert_kind: str | None
    source: str
    cosine: float | None
    words_rank: float | None
    coverage: float
    """Share of the query's telling terms that the document holds, 0 to 1."""
    score: float


async def configure(connection: AsyncConnection[Any]) -> None:
    """Prepare a pool's connection for searching. Without iterative scans a selective filter loses results."""
    await connection.set_autocommit(True)
    await connection.execute("SET hnsw.iterative_scan = relaxed_order")
    await connection.execute(sql.SQL("SET hnsw.ef_search = {}").format(CANDIDATES))
    await connection.execute("SET statement_timeout = '5s'")


async def active_model(connection: AsyncConnection[Any]) -> Model | None:
    """The model whose vectors are searched, or None before the indexer registered one."""
    cursor = connection.cursor(row_factory=class_row(Model))
    await cursor.execute("SELECT model_id, dimensions, table_name FROM embedding_models WHERE state = 'active'")
    return await cursor.fetchone()


async def search(
    connection: AsyncConnection[Any],
    query: str,
    vector: npt.NDArray[np.float32] | None,
    model: Model | None,
    filters: Filters,
    limit: int,
) -> list[Found]:
    """The `limit` best documents, best first. `vector` has the model's dimensions; without both, words alone decide."""
    words = parse(query)
    use_vector = vector is not None and model is not None
    statement = _STATEMENT.format(
        k=RRF_K,
        filters=where(filters),
        nearest=_nearest(model.table_name if model and use_vector else None, filters),
        cosine=_COSINE if use_vector else sql.SQL("NULL::float8"),
        embedding=_JOIN.format(table=sql.Identifier(model.table_name)) if model and use_vector else sql.SQL(""),
    )
    values = {
        **vars(filters),
        "any": any_of(words.wanted),
        "none": any_of(words.unwanted),
        "terms": [any_of((term,)) for term in words.wanted],
        "vector": HalfVector(vector).to_text() if vector is not None else None,
        "candidates": max(CANDIDATES, limit),
        "newest": NEWEST_MATCHES,
        "limit": limit,
    }
    cursor = connection.cursor(row_factory=class_row(Found))
    # Planned for its own values: the planner knows how common a word is, and which filter is selective.
    await cursor.execute(statement, values, prepare=False)
    return await cursor.fetchall()


def where(filters: Filters) -> sql.Composable:
    """The filters that are set, as a condition on documents `d` with the field names as parameters."""
    conditions = [sql.SQL(text) for name, text in _CONDITIONS.items() if getattr(filters, name)]
    return sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")


def _nearest(table: str | None, filters: Filters) -> sql.Composable:
    if table is None:
        return sql.SQL("SELECT NULL::text AS doc_id, NULL::bigint AS place WHERE false")
    return _NEAREST.format(table=sql.Identifier(table), filters=where(filters))


_CONDITIONS: Final = {
    "wikis": "d.wiki = ANY(%(wikis)s)",
    "languages": "d.language = ANY(%(languages)s)",
    "namespaces": "d.namespace = ANY(%(namespaces)s)",
    "user_kinds": "d.user_kind = ANY(%(user_kinds)s)",
    "since": "d.event_time >= %(since)s",
    "until": "d.event_time < %(until)s",
}

_COSINE: Final = sql.SQL("1 - (e.embedding <=> %(vector)s::halfvec)")
_JOIN: Final = sql.SQL("LEFT JOIN {table} e ON e.content_hash = d.content_hash")

_NEAREST: Final = sql.SQL("""
    SELECT near.doc_id, rank() OVER (ORDER BY near.distance) AS place
    FROM (
        SELECT d.doc_id, e.embedding <=> %(vector)s::halfvec AS distance
        FROM {table} e JOIN documents d USING (content_hash)
        WHERE {filters}
        ORDER BY e.embedding <=> %(vector)s::halfvec
        LIMIT %(candidates)s
    ) near""")

# A term is read by both dictionaries because each document was, by its own language's. The words leg counts by the
# share of the terms that a document holds: at full weight one common word of three put four edits before the one
# nearest in meaning (cosine .60 to "gun violence in America"). Over 30 judged queries the two are alike: .61 and .62
# of the relevant edits among the first ten.
_STATEMENT: Final = sql.SQL("""
WITH terms AS MATERIALIZED (
    SELECT websearch_to_tsquery('english', term) || websearch_to_tsquery('simple', term) AS term
    FROM unnest(%(terms)s::text[]) AS term
),
matches AS (
    SELECT d.doc_id, d.event_time, d.words
    FROM documents d
    WHERE d.words @@ ((websearch_to_tsquery('english', %(any)s) || websearch_to_tsquery('simple', %(any)s))
                  && !!(websearch_to_tsquery('english', %(none)s) || websearch_to_tsquery('simple', %(none)s)))
      AND {filters}
    ORDER BY d.event_time DESC
    LIMIT %(newest)s
),
ranked AS (
    SELECT doc_id, event_time,
        (SELECT count(*) FROM terms WHERE matches.words @@ term) AS held,
        ts_rank_cd(words, websearch_to_tsquery('english', %(any)s) || websearch_to_tsquery('simple', %(any)s)) AS rank
    FROM matches
),
worded AS (
    SELECT doc_id, rank, rank() OVER (ORDER BY held DESC, rank DESC) AS place,
        held::float8 / (SELECT count(*) FROM terms) AS share
    FROM ranked ORDER BY held DESC, rank DESC, event_time DESC LIMIT %(candidates)s
),
nearest AS ({nearest}),
fused AS (
    SELECT doc_id, worded.rank AS words_rank,
        coalesce(share / ({k} + worded.place), 0) + coalesce(1.0 / ({k} + nearest.place), 0)::float8 AS score
    FROM worded FULL JOIN nearest USING (doc_id)
)
SELECT d.doc_id, d.event_id, d.title, d.wiki, d.language, d.section, d.comment, d.text, d.event_time, d.user_kind,
    d.bytes_delta, d.page_url, d.diff_url, d.revert_kind, d.source,
    {cosine} AS cosine,
    fused.words_rank::float8 AS words_rank,
    coalesce((SELECT avg((d.words @@ term)::int) FROM terms), 0)::float8 AS coverage,
    fused.score
FROM fused JOIN documents d USING (doc_id) {embedding}
ORDER BY fused.score DESC, d.event_time DESC, d.doc_id
LIMIT %(limit)s
""")
