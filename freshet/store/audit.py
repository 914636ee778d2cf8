"""What the audit asks of the store."""

from collections.abc import Iterator
from typing import NamedTuple

from psycopg import Connection, sql


class DocumentRow(NamedTuple):
    """One document and whether its text has an embedding by the active model."""

    doc_id: str
    raw_partition: int
    raw_offset: int
    embedded: bool
    pending: bool


def documents(connection: Connection) -> Iterator[DocumentRow]:
    """Every document, streamed. Before any model is known none is embedded."""
    found = connection.execute("SELECT table_name FROM embedding_models WHERE state = 'active'").fetchone()
    embedded = (
        sql.SQL("EXISTS (SELECT FROM {} e WHERE e.content_hash = d.content_hash)").format(sql.Identifier(found[0]))
        if found
        else sql.SQL("false")
    )
    query = sql.SQL(
        "SELECT d.doc_id, d.raw_partition, d.raw_offset, {embedded},"
        " EXISTS (SELECT FROM pending_embeddings p WHERE p.content_hash = d.content_hash) FROM documents d"
    ).format(embedded=embedded)
    with connection.cursor(name="audit") as cursor:
        cursor.execute(query)
        for row in cursor:
            yield DocumentRow(*row)
