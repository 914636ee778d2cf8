"""Writing documents: a batch with its vectors and pending texts in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection, sql

from freshet.contract import schemas
from freshet.store import embeddings, removals
from freshet.store.embeddings import Vector, VectorTable
from freshet.store.removals import Gone, Removal

Document = Mapping[str, Any]
"""One row of `schemas.GOLD` by column name, and `gold_at`: the timestamp of its record in `wiki.gold`."""

COLUMNS: Final = (*schemas.names(schemas.GOLD), "gold_at")

# Where a document came from says nothing about what it is: a record delivered or replayed again changes no row.
CONTENT: Final = tuple(name for name in COLUMNS if name not in {*schemas.names(schemas.LINEAGE), "gold_at", "doc_id"})

CONNECT_TIMEOUT_S: Final = 5


@dataclass(frozen=True)
class Deletion:
    """A document that is no more."""

    doc_id: str


@dataclass(frozen=True)
class Written:
    """What a batch came to. The times are `searchable_at` by doc_id. `removed` were taken away for good or kept out."""

    inserted: Mapping[str, datetime]
    changed: Mapping[str, datetime]
    unchanged: int
    deleted: int = 0
    removed: int = 0


@dataclass(frozen=True)
class Made:
    """What a batch has for one model: vectors by content hash, and the texts that wait for theirs; `error` says why."""

    table: VectorTable
    vectors: Mapping[str, Vector]
    pending: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    def only(self, content_hashes: Collection[str]) -> "Made":
        """What of it belongs to these texts."""
        vectors = {key: vector for key, vector in self.vectors.items() if key in content_hashes}
        pending = {key: text for key, text in self.pending.items() if key in content_hashes}
        return Made(self.table, vectors, pending, self.error)


@dataclass(frozen=True)
class Batch:
    """What one transaction writes.

    `made` is by model, in the order of their ids. `deleted` are ids of documents to take away, none of which is among
    `documents`. Models in `kept` get no vectors any more, but lose those that no document needs. `removals` come first,
    in their order: what they cover is not written.
    """

    documents: Sequence[Document]
    made: Sequence[Made]
    deleted: Collection[str] = ()
    kept: Sequence[VectorTable] = ()
    removals: Sequence[Removal] = ()


def connect(conninfo: str) -> Connection:
    """A connection for writing, with its staging tables. The migrations must have run. Raises psycopg.Error."""
    connection = psycopg.connect(conninfo, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
    register_vector(connection)
    connection.execute(_STAGE)
    embeddings.stage(connection)
    return connection


def write(connection: Connection, batch: Batch) -> Written:
    """Store a batch: all of it or nothing. Of documents with the same doc_id the last counts. Raises psycopg.Error.

    A vector goes with the last document of its text.
    """
    documents = {document["doc_id"]: document for document in batch.documents}
    with connection.transaction():
        gone = _removed(connection, batch, documents)
        texts = {row["content_hash"]: row["text"] for row in batch.documents if row["doc_id"] in documents}
        for made in batch.made:
            _put(connection, made.only(texts), texts)
        deleted = connection.execute(_DELETE, (sorted(batch.deleted),)).fetchall() if batch.deleted else []
        with connection.cursor().copy(_COPY) as copy:
            for document in documents.values():
                copy.write_row([document[name] for name in COLUMNS])
        connection.execute(_NOTE_LEXEMES)
        removals.written(connection, documents)
        rows = connection.execute(_UPSERT).fetchall()
        left = {row[0] for row in deleted} | {row[3] for row in rows if row[3] is not None}
        left |= {one.content_hash for one in gone}
        if left:
            for table in (*(made.table for made in batch.made), *batch.kept):
                embeddings.drop_unused(connection, table, left)
    return Written(
        inserted={doc_id: searchable_at for doc_id, searchable_at, is_new, _ in rows if is_new},
        changed={doc_id: searchable_at for doc_id, searchable_at, is_new, _ in rows if not is_new},
        unchanged=len(documents) - len(rows) + len(batch.deleted) - len(deleted),
        deleted=len(deleted),
        removed=len(gone),
    )


def _removed(connection: Connection, batch: Batch, documents: dict[str, Document]) -> list[Gone]:
    """Apply the batch's removals, and take out of `documents` what must not be written. Returns all that is gone."""
    gone = removals.enter(connection, batch.removals) if batch.removals else []
    if not batch.removals:
        removals.share(connection)
    kept_out = removals.keep_out(connection, documents.values())
    for one in kept_out:
        del documents[one.doc_id]
    return [*gone, *kept_out]


def _put(connection: Connection, made: Made, texts: Mapping[str, str]) -> None:
    """Store one model's vectors and pending texts, and keep others from dropping the vectors that were there before;
    what they dropped already is made anew."""
    inserted = embeddings.put_vectors(connection, made.table, made.vectors) if made.vectors else set()
    if made.pending:
        embeddings.put_pending(connection, made.table.model_id, made.pending, made.error)
    there = texts.keys() - inserted - made.pending.keys()
    if there:
        gone = there - embeddings.hold(connection, made.table, there)
        if gone:
            error = "its vector went with another document"
            embeddings.put_pending(connection, made.table.model_id, {key: texts[key] for key in gone}, error)


def _listed(names: Sequence[str], of: str = "") -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, name) if of else sql.Identifier(name) for name in names)


_STAGE: Final = sql.SQL(
    "CREATE TEMP TABLE staged_documents ON COMMIT DELETE ROWS AS SELECT {columns} FROM documents WITH NO DATA"
).format(columns=_listed(COLUMNS))

_COPY: Final = sql.SQL("COPY staged_documents ({columns}) FROM STDIN").format(columns=_listed(COLUMNS))

_NOTE_LEXEMES: Final = """
INSERT INTO lexemes
SELECT DISTINCT lexemes_of(language, words_of(language, text)) AS lexeme FROM staged_documents
WHERE text_search_config(language) = 'simple'::regconfig ORDER BY lexeme
ON CONFLICT DO NOTHING"""

_DELETE: Final = "DELETE FROM documents WHERE doc_id = ANY(%s) RETURNING content_hash"

# Among the last statements of the transaction, so that searchable_at is as near to the commit as can be.
_UPSERT: Final = sql.SQL("""
INSERT INTO documents AS d ({columns}, searchable_at)
SELECT {columns}, clock_timestamp() FROM staged_documents ORDER BY doc_id
ON CONFLICT (doc_id) DO UPDATE SET ({columns}, searchable_at) = ({new_columns}, EXCLUDED.searchable_at)
WHERE ({content}) IS DISTINCT FROM ({new_content})
RETURNING doc_id, searchable_at, old.doc_id IS NULL, nullif(old.content_hash, new.content_hash)
""").format(
    columns=_listed(COLUMNS),
    new_columns=_listed(COLUMNS, of="excluded"),
    content=_listed(CONTENT, of="d"),
    new_content=_listed(CONTENT, of="excluded"),
)
