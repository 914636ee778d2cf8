"""Texts of documents and of pages that have no vector by a model, in ranges of their hashes: what is embedded beside
the stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row

from freshet.store.embeddings import Texts, VectorTable


class Span(NamedTuple):
    """Documents whose edit, and pages whose newest edit, was made from `since` on and before `until`; None: without a
    bound."""

    since: datetime | None = None
    until: datetime | None = None


EVERYTHING: Final = Span()


class Hashes(NamedTuple):
    """Content hashes after one and up to another, in their order; None: to the end."""

    after: str = ""
    upto: str | None = None


ALL_HASHES: Final = Hashes()


@dataclass(frozen=True)
class Progress:
    """How far the texts of a model are: `done` of `texts`; the rate is that of the last minutes."""

    model_id: str
    phase: str
    texts: int
    done: int
    texts_per_second: float | None
    started_at: datetime
    noted_at: datetime

    @property
    def left_s(self) -> float | None:
        """How long the rest will take, s; None before there is a rate."""
        return (self.texts - self.done) / self.texts_per_second if self.texts_per_second else None

    def __str__(self) -> str:
        rate = f", {self.texts_per_second:.1f} texts/s" if self.texts_per_second else ""
        left = f", {self.left_s:.0f} s left" if self.left_s else ""
        return f"{self.model_id}: {self.phase}, {self.done:,} of {self.texts:,} texts{rate}{left}"


def count(connection: Connection, of: VectorTable | Texts, span: Span) -> int:
    """How many different texts lack a vector in a table, or how many texts there are."""
    return int(connection.execute(_COUNT.format(missing=_missing(of)), _bound(span, ALL_HASHES)).fetchall()[0][0])


def cut(connection: Connection, table: VectorTable, span: Span, texts: int) -> list[Hashes]:
    """Ranges with so many missing texts each, the last with what is left and whatever comes after it; [] for none."""
    statement = _CUT.format(missing=_missing(table))
    ends = [row[0] for row in connection.execute(statement, {**_bound(span, ALL_HASHES), "texts": texts})]
    bounds = ["", *ends[:-1]]
    return [Hashes(after, upto) for after, upto in zip(bounds, [*bounds[1:], None], strict=True)] if ends else []


def page(connection: Connection, of: VectorTable | Texts, hashes: Hashes, span: Span, limit: int) -> dict[str, str]:
    """The next texts that lack a vector in a table, or simply the next texts, by content hash, in its order."""
    rows = connection.execute(_PAGE.format(missing=_missing(of)), {**_bound(span, hashes), "limit": limit})
    return dict(rows.fetchall())


def note_progress(connection: Connection, model_id: str, phase: str, texts: int, done: int, rate: float | None) -> None:
    """Say how far it is, from the beginning when it was not said before."""
    connection.execute(_NOTE, {"model": model_id, "phase": phase, "texts": texts, "done": done, "rate": rate})


def add_done(connection: Connection, model_id: str, texts: int, rate: float | None) -> None:
    """So many more are done; within the transaction that does them it is exact, whatever is killed."""
    connection.execute(
        "UPDATE embedding_progress SET done = done + %s, texts_per_second = %s, noted_at = now() WHERE model_id = %s",
        (texts, rate, model_id),
    )


def forget_progress(connection: Connection, model_id: str) -> None:
    """It has ended."""
    connection.execute("DELETE FROM embedding_progress WHERE model_id = %s", (model_id,))


def progress(connection: Connection) -> list[Progress]:
    """What is being embedded beside the stream."""
    with connection.cursor(row_factory=class_row(Progress)) as cursor:
        return cursor.execute(_PROGRESS).fetchall()


def _bound(span: Span, hashes: Hashes) -> Mapping[str, Any]:
    return {**span._asdict(), **hashes._asdict()}


def _missing(of: VectorTable | Texts) -> sql.Composed:
    if isinstance(of, VectorTable):
        return _MISSING.format(texts=sql.Identifier(of.texts), lacks=_LACKS.format(table=sql.Identifier(of.name)))
    return _MISSING.format(texts=sql.Identifier(of), lacks=sql.SQL("true"))


_LACKS: Final = sql.SQL("NOT EXISTS (SELECT FROM {table} e WHERE e.content_hash = d.content_hash)")
_MISSING: Final = sql.SQL("""
FROM {texts} d WHERE d.content_hash > %(after)s
    AND (%(upto)s::text IS NULL OR d.content_hash <= %(upto)s)
    AND (%(since)s::timestamptz IS NULL OR d.event_time >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR d.event_time < %(until)s) AND {lacks}""")
_COUNT: Final = sql.SQL("SELECT count(DISTINCT d.content_hash) {missing}")
_PAGE: Final = sql.SQL(
    "SELECT DISTINCT ON (d.content_hash) d.content_hash, d.text {missing} ORDER BY d.content_hash LIMIT %(limit)s"
)
_CUT: Final = sql.SQL("""
SELECT content_hash FROM (
    SELECT content_hash, row_number() OVER (ORDER BY content_hash) AS number, count(*) OVER () AS total
    FROM (SELECT DISTINCT d.content_hash {missing}) texts
) numbered WHERE number %% %(texts)s = 0 OR number = total ORDER BY content_hash""")
_NOTE: Final = """
INSERT INTO embedding_progress (model_id, phase, texts, done, texts_per_second)
VALUES (%(model)s, %(phase)s, %(texts)s, %(done)s, %(rate)s)
ON CONFLICT (model_id) DO UPDATE SET (phase, texts, done, texts_per_second, noted_at)
    = (EXCLUDED.phase, EXCLUDED.texts, EXCLUDED.done, EXCLUDED.texts_per_second, now())"""
_PROGRESS: Final = """
SELECT model_id, phase, texts, done, texts_per_second, started_at, noted_at FROM embedding_progress ORDER BY model_id"""
