"""What the audit asks of the store."""

from collections.abc import Iterator
from typing import NamedTuple

from psycopg import Connection, sql

from freshet.store.models import active, listed


class DocumentRow(NamedTuple):
    """One document and whether its text has an embedding by the active model, or waits for it."""

    doc_id: str
    raw_partition: int
    raw_offset: int
    embedded: bool
    pending: bool


def documents(connection: Connection) -> Iterator[DocumentRow]:
    """Every document, streamed. Before any model is known none is embedded."""
    model = active(listed(connection))
    embedded = (
        sql.SQL("EXISTS (SELECT FROM {} e WHERE e.content_hash = d.content_hash)").format(
            sql.Identifier(model.table_name)
        )
        if model
        else sql.SQL("false")
    )
    query = sql.SQL(
        "SELECT d.doc_id, d.raw_partition, d.raw_offset, {embedded},"
        " EXISTS (SELECT FROM pending_embeddings p WHERE p.content_hash = d.content_hash AND p.model_id = %s"
        " AND p.texts = 'documents')"
        " FROM documents d"
    ).format(embedded=embedded)
    with connection.cursor(name="audit") as cursor:
        cursor.execute(query, (model.model_id if model else None,))
        for row in cursor:
            yield DocumentRow(*row)
