"""What is busy now."""

from psycopg import Connection


def busiest(connection: Connection, language: str | None = None) -> str | None:
    """Title of the page with the most documents, the latest edited one among equals; None when there is none."""
    row = connection.execute(
        "SELECT title FROM documents WHERE language = coalesce(%s, language)"
        " GROUP BY wiki, title ORDER BY count(*) DESC, max(event_time) DESC LIMIT 1",
        (language,),
    ).fetchone()
    return str(row[0]) if row else None
