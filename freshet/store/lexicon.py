"""How each word of a query is looked for, remembered for a minute: a question's words come again and again."""

import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

REMEMBERED: Final = 4096
FRESH_S: Final = 60

RARE: Final = 500
"""A word that at most so many documents hold finds all of them; commoner ones are looked for among the newest."""


@dataclass(frozen=True)
class Term:
    """A word or phrase of a query.

    `query` is what every dictionary makes of it, since each document was read by its own language's; `alike` are words
    that look like it, where no dictionary knows its forms. `frequency` is the share of documents that hold it as the
    last ANALYZE saw it; rare terms have that of the rarest it noted, and all have 1 before the first one. `documents`
    is how many documents that would be.
    """

    term: str
    query: str
    alike: str | None
    frequency: float
    documents: float

    @property
    def is_rare(self) -> bool:
        """Whether all its documents can be looked at."""
        return self.documents <= RARE

    @property
    def weight(self) -> float:
        """The rarer the weightier."""
        return math.log(1 + 1 / self.frequency)


class Lexicon:
    """The terms that were asked for lately."""

    def __init__(self) -> None:
        self._terms: OrderedDict[str, tuple[float, Term | None]] = OrderedDict()

    async def terms(self, connection: AsyncConnection[Any], words: Sequence[str]) -> list[Term]:
        """The words as terms, without those that no dictionary keeps. Asks Postgres for what it does not remember."""
        now = time.monotonic()
        missing = [word for word in words if self._terms.get(word, (-math.inf,))[0] < now - FRESH_S]
        if missing:
            made = {term.term: term for term in await _look_up(connection, missing)}
            for word in missing:
                self._terms[word] = now, made.get(word)
                self._terms.move_to_end(word)
        found = [self._terms[word][1] for word in words]
        while len(self._terms) > REMEMBERED:
            self._terms.popitem(last=False)
        return [term for term in found if term]


async def _look_up(connection: AsyncConnection[Any], words: Sequence[str]) -> list[Term]:
    cursor = connection.cursor(row_factory=class_row(Term))
    await cursor.execute(_TERMS, {"words": list(words)})
    return await cursor.fetchall()


_TERMS: Final = """
WITH made AS MATERIALIZED (
    SELECT asked.term, phraseto_tsquery(configs.oid::regconfig, asked.term)::text AS query
    FROM unnest(%(words)s::text[]) AS asked (term)
    CROSS JOIN (SELECT oid FROM pg_ts_config WHERE cfgnamespace = 'pg_catalog'::regnamespace) AS configs
    UNION
    SELECT asked.term, string_agg(quote_literal(pair), ' & ')
    FROM unnest(%(words)s::text[]) AS asked (term) CROSS JOIN unnest(letter_pairs(asked.term)) AS pair
    GROUP BY asked.term
),
noted AS MATERIALIZED (
    SELECT most_common_elems::text::text[] AS lexemes, most_common_elem_freqs AS shares
    FROM pg_stats WHERE schemaname = current_schema AND tablename = 'documents' AND attname = 'words'
),
common AS (
    SELECT quote_literal(lexeme) AS query, share
    FROM noted, unnest(lexemes, shares[:cardinality(lexemes)]) AS known (lexeme, share)
),
measured AS (
    SELECT made.term, string_agg(made.query, ' | ') AS query,
        coalesce(max(share), (SELECT shares[cardinality(lexemes) + 1] FROM noted), 1)::float8 AS frequency
    FROM made LEFT JOIN common USING (query)
    WHERE made.query <> '' GROUP BY made.term
)
SELECT term, query, frequency, frequency * greatest(reltuples, 0)::float8 AS documents,
    (
        SELECT string_agg(phraseto_tsquery('simple', lexeme)::text, ' | ')
        FROM (
            SELECT lexeme FROM lexemes WHERE lexeme %% lower(term) AND lexeme <> lower(term)
            ORDER BY similarity(lexeme, lower(term)) DESC, lexeme LIMIT 4
        ) AS near
    ) AS alike
FROM measured, pg_class WHERE pg_class.oid = 'documents'::regclass"""
