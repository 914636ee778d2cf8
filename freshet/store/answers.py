"""Answers that were given, and feedback on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import ForeignKeyViolation
from psycopg.types.json import Jsonb

from freshet.store.locks import Lock
from freshet.store.removals import ANSWER_REMOVED


@dataclass(frozen=True)
class Given:
    """One answer. `doc_ids` are the documents cited, by their numbers in the answer."""

    answer_id: UUID
    asked_at: datetime
    question: str
    answer: str
    outcome: str
    answerer: str
    model: str | None
    degraded: Mapping[str, str]
    doc_ids: Sequence[str]
    took_ms: float


async def keep(connection: AsyncConnection[Any], given: Sequence[Given]) -> None:
    """Store answers: all of them or none. One that cites what was removed meanwhile loses its words."""
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (Lock.REMOVING,))
        await cursor.executemany(_KEEP, [{**vars(one), "degraded": Jsonb(one.degraded)} for one in given])
        await cursor.execute(_FORGET, {"answers": [one.answer_id for one in given], "words": ANSWER_REMOVED})


async def add_feedback(
    connection: AsyncConnection[Any], answer_id: UUID, rating: str, comment: str | None
) -> int | None:
    """Store feedback on an answer. Returns its id, or None when there is no such answer."""
    try:
        cursor = await connection.execute(_FEEDBACK, {"answer_id": answer_id, "rating": rating, "comment": comment})
    except ForeignKeyViolation:
        return None
    row = await cursor.fetchone()
    return int(row[0]) if row else None


_KEEP: Final = """
INSERT INTO answers (answer_id, asked_at, question, answer, outcome, answerer, model, degraded, doc_ids, took_ms)
VALUES (%(answer_id)s, %(asked_at)s, %(question)s, %(answer)s, %(outcome)s, %(answerer)s, %(model)s, %(degraded)s,
    %(doc_ids)s, %(took_ms)s)"""
_FORGET: Final = """
UPDATE answers SET answer = %(words)s, doc_ids = '{}'
WHERE answer_id = ANY(%(answers)s) AND EXISTS (SELECT FROM removed_events WHERE event_id = ANY(doc_ids))"""
_FEEDBACK: Final = """
INSERT INTO feedback (answer_id, rating, comment) VALUES (%(answer_id)s, %(rating)s, %(comment)s)
RETURNING feedback_id"""
