"""The statement that finds and ranks: candidates by meaning and by words, all scored alike, the best first."""

from dataclasses import dataclass
from typing import Final, Literal

from psycopg import sql

from freshet.store.reverts import UNDONE

# Of 200,000 documents: where 13,100 pass, a whole search that compares them all takes 55 ms. The walk took 10 to 100,
# but for questions far from all that pass it gave up after 20,000 vectors: it found .79 of the ten nearest, or none.
FEW: Final = 16_000
"""Up to so many documents that pass the filters are all compared; beyond, the vector index is walked."""

WALKED: Final = 20
"""So many are looked for behind a filter by walking the index: it passes all that the filter refuses."""

PAGES: Final = 20
"""So many of the nearest pages hand on their edits."""

OF_A_PAGE: Final = 10
"""And so many of its newest each."""

HOLDERS: Final = 1_000
"""At most so many documents with rare words are weighed."""

NEWEST: Final = 5_000
"""Common words are looked for among so many of the newest documents."""

ALIKE: Final = 0.6
"""What a word counts that only looks like the one that was asked for."""

WORDS_WEIGHT: Final = 0.5
"""Of the share of words that a document holds: chosen by a plot (docs/decisions/0024-two-vectors.md)."""

RECENCY_WEIGHT: Final = 0.05
REVERTED_WEIGHT: Final = -0.1
"""What an edit says that was undone counts less."""

PAGE_REVERTED_WEIGHT: Final = -0.01
"""That its page was edited is as true as before: of a page's edits only those that stand go first."""


@dataclass(frozen=True)
class Shape:
    """What the statement depends on besides its parameters.

    `table` has the vectors, None: by words alone; `page_table` those of pages, None: by the edits alone. `filters` are
    a condition on `d`, None: there are none. `words` says whether the query has rare words, only common ones, or none.
    Each leg hands `candidates` documents on.
    """

    table: str | None
    page_table: str | None
    filters: sql.Composable | None
    words: Literal["rare", "common", "none"]
    unwanted: bool
    collapse: bool
    candidates: int


def statement(shape: Shape) -> sql.Composed:
    """The whole search. Limits are written into it: Postgres plans a bound one as a tenth of everything."""
    conditions = [shape.filters] * bool(shape.filters) + [_WANTED] * shape.unwanted
    admitted = sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true")
    table = sql.Identifier(shape.table) if shape.table else None
    page_table = sql.Identifier(shape.page_table) if shape.page_table else None
    return _STATEMENT.format(
        passing=_PASSING.format(admitted=admitted, few=FEW),
        holders=_HOLDERS[shape.words].format(admitted=admitted, holders=HOLDERS, newest=NEWEST),
        nearest=_nearest(table, admitted, shape) if table else _NONE,
        paged=_paged(page_table, admitted, shape) if page_table else _NONE,
        candidates=shape.candidates,
        held=_HELD.format(alike=ALIKE),
        rarest=_RAREST,
        undone=UNDONE,
        cosine=_COSINE if table else sql.SQL("NULL::float8"),
        embedding=_EMBEDDING.format(table=table) if table else sql.SQL(""),
        page_cosine=_PAGE_COSINE if page_table else sql.SQL("NULL::float8"),
        page_embedding=_PAGE_EMBEDDING.format(table=page_table) if page_table else sql.SQL(""),
        recency_weight=RECENCY_WEIGHT,
        reverted_weight=REVERTED_WEIGHT,
        page_reverted_weight=PAGE_REVERTED_WEIGHT,
        shown=_COLLAPSED if shape.collapse else _WHOLE,
    )


def _nearest(table: sql.Identifier, admitted: sql.Composable, shape: Shape) -> sql.Composable:
    walk = _WALK.format(table=table, admitted=admitted, candidates=shape.candidates)
    if not shape.filters:
        return walk
    walk = _WALK.format(table=table, admitted=admitted, candidates=min(shape.candidates, WALKED))
    compare = _COMPARE.format(table=table, admitted=admitted, candidates=shape.candidates)
    return _BY_COUNT.format(compare=compare, walk=walk, few=FEW)


def _paged(table: sql.Identifier, admitted: sql.Composable, shape: Shape) -> sql.Composable:
    walk = _WALK_PAGES.format(table=table, pages=PAGES, edited=sql.SQL("true"))
    if shape.filters:
        edited = _EDITED.format(admitted=admitted)
        compare = _COMPARE_PAGES.format(table=table, admitted=admitted, pages=PAGES)
        walk = _WALK_PAGES.format(table=table, pages=min(PAGES, WALKED), edited=edited)
        walk = _BY_COUNT.format(compare=compare, walk=walk, few=FEW)
    return _PAGED.format(pages=walk, admitted=admitted, of_a_page=OF_A_PAGE, candidates=shape.candidates)


_WANTED: Final = sql.SQL("NOT d.words @@ %(unwanted)s::tsquery")
_HELD: Final = sql.SQL("sum(weight * CASE WHEN words @@ query THEN 1 WHEN words @@ alike THEN {alike} ELSE 0 END)")
# Where a document lacks one of the rarest, the others tell little: only what they say of the edit itself counts then.
_RAREST: Final = sql.SQL(
    "bool_and(words @@ query OR coalesce(words @@ alike, false)) FILTER (WHERE weight = %(rarest)s)"
)
_COSINE: Final = sql.SQL("1 - (e.embedding <=> %(vector)s::halfvec)")
_EMBEDDING: Final = sql.SQL("LEFT JOIN {table} e USING (content_hash)")
_PAGE_COSINE: Final = sql.SQL("1 - (pe.embedding <=> %(vector)s::halfvec)")
_PAGE_EMBEDDING: Final = sql.SQL("LEFT JOIN {table} pe ON pe.content_hash = p.content_hash")
_NONE: Final = sql.SQL("SELECT NULL::text AS doc_id WHERE false")

_HOLDERS: Final = {
    "rare": sql.SQL("""
    SELECT d.doc_id, d.words, d.event_time FROM documents d
    WHERE d.words @@ %(rare)s::tsquery AND {admitted} LIMIT {holders}"""),
    "common": sql.SQL("""
    SELECT newest.* FROM (
        SELECT d.doc_id, d.words, d.event_time FROM documents d
        WHERE {admitted} ORDER BY d.event_time DESC LIMIT {newest}
    ) AS newest
    WHERE newest.words @@ %(common)s::tsquery LIMIT {holders}"""),
    "none": sql.SQL("SELECT d.doc_id, d.words, d.event_time FROM documents d WHERE false"),
}

_WALK: Final = sql.SQL("""
    SELECT d.doc_id FROM {table} e JOIN documents d USING (content_hash)
    WHERE {admitted} ORDER BY e.embedding <=> %(vector)s::halfvec LIMIT {candidates}""")

# Ordered by similarity, which no index has.
_COMPARE: Final = sql.SQL("""
    SELECT d.doc_id FROM documents d JOIN {table} e USING (content_hash)
    WHERE {admitted} ORDER BY 1 - (e.embedding <=> %(vector)s::halfvec) DESC LIMIT {candidates}""")

_PASSING: Final = sql.SQL(
    "SELECT count(*) AS documents FROM (SELECT FROM documents d WHERE {admitted} LIMIT {few} + 1) AS counted"
)

# Whichever the count rules out is not executed.
_BY_COUNT: Final = sql.SQL("""
    SELECT * FROM ({compare}) AS compared WHERE (SELECT documents FROM passing) <= {few}
    UNION ALL
    SELECT * FROM ({walk}) AS walked WHERE (SELECT documents FROM passing) > {few}""")

_WALK_PAGES: Final = sql.SQL("""
    SELECT p.wiki, p.title, e.embedding <=> %(vector)s::halfvec AS distance
    FROM {table} e JOIN pages p USING (content_hash)
    WHERE {edited} ORDER BY e.embedding <=> %(vector)s::halfvec LIMIT {pages}""")

_EDITED: Final = sql.SQL("EXISTS (SELECT FROM documents d WHERE d.wiki = p.wiki AND d.title = p.title AND {admitted})")

_COMPARE_PAGES: Final = sql.SQL("""
    SELECT p.wiki, p.title, e.embedding <=> %(vector)s::halfvec AS distance
    FROM (SELECT DISTINCT d.wiki, d.title FROM documents d WHERE {admitted}) AS edited
    JOIN pages p USING (wiki, title) JOIN {table} e USING (content_hash)
    ORDER BY 1 - (e.embedding <=> %(vector)s::halfvec) DESC LIMIT {pages}""")

_PAGED: Final = sql.SQL("""
    SELECT newest.doc_id FROM ({pages}) AS near CROSS JOIN LATERAL (
        SELECT d.doc_id, d.event_time FROM documents d WHERE d.wiki = near.wiki AND d.title = near.title AND {admitted}
        ORDER BY d.event_time DESC LIMIT {of_a_page}
    ) AS newest
    ORDER BY near.distance, newest.event_time DESC LIMIT {candidates}""")

_WHOLE: Final = sql.SQL("SELECT *, score AS best, ARRAY[]::text[] AS others, 1 AS place FROM scored")

# A group is the pages of a wiki whose newest texts are alike but for their digits: nearly always one page.
_COLLAPSED: Final = sql.SQL("""
    SELECT *, max(score) OVER alike AS best, (array_agg(doc_id) OVER alike)[2:] AS others,
        row_number() OVER alike AS place
    FROM (
        SELECT *, first_value(translate(lower(text), '0123456789', '')) OVER page AS letters
        FROM scored WINDOW page AS (PARTITION BY wiki, title ORDER BY event_time DESC, doc_id)
    ) AS lettered
    WINDOW alike AS (
        PARTITION BY wiki, letters ORDER BY event_time DESC, doc_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )""")

_STATEMENT: Final = sql.SQL("""
WITH terms AS MATERIALIZED (
    SELECT query::tsquery, alike::tsquery, weight
    FROM unnest(%(queries)s::text[], %(alike)s::text[], %(weights)s::float8[]) AS asked (query, alike, weight)
),
holders AS ({holders}),
worded AS (
    SELECT doc_id FROM holders, LATERAL (SELECT {held} AS held FROM terms) AS weighed
    ORDER BY held DESC, event_time DESC LIMIT {candidates}
),
passing AS MATERIALIZED ({passing}),
nearest AS ({nearest}),
paged AS ({paged}),
candidates AS (SELECT doc_id FROM nearest UNION SELECT doc_id FROM paged UNION SELECT doc_id FROM worded),
measured AS MATERIALIZED (
    SELECT d.*, {cosine} AS cosine, {page_cosine} AS page_cosine, p.item_id AS page_item_id, p.label AS page_label,
        p.description AS page_description, p.origin AS page_origin,
        coalesce(weighed.held / %(weight)s, 0) AS coverage, weighed.rarest,
        0.5 ^ least(
            extract(epoch FROM (SELECT max(event_time) FROM documents) - d.event_time)::float8 / %(half_life_s)s, 60
        ) AS recency,
        {undone} AS reverted
    FROM candidates JOIN documents d USING (doc_id) {embedding}
    LEFT JOIN pages p ON p.wiki = d.wiki AND p.title = d.title {page_embedding}
    CROSS JOIN LATERAL (SELECT {held} AS held, {rarest} AS rarest FROM terms) AS weighed
),
scored AS (
    SELECT *, greatest(
        coalesce(cosine, coverage / 2) + {reverted_weight} * reverted::int
            + %(words_weight)s * CASE WHEN rarest OR coverage = 0 THEN coverage ELSE (
                SELECT {held} / %(weight)s
                FROM terms, words_of(language, concat_ws('. ', section, comment)) AS remark (words)
            ) END,
        page_cosine + {page_reverted_weight} * reverted::int
    ) + {recency_weight} * recency AS score
    FROM measured
),
shown AS ({shown})
SELECT doc_id, event_id, title, wiki, language, section, comment, text, event_time, user_kind, user_name, bytes_delta,
    page_url, diff_url, revert_kind, source, page_item_id, page_label, page_description, page_origin, cosine,
    page_cosine, coverage, reverted, best AS score, others
FROM shown WHERE place = 1 ORDER BY best DESC, event_time DESC, doc_id LIMIT %(limit)s""")
