"""What is busy now."""

from collections.abc import Sequence

from psycopg import Connection


def busiest(connection: Connection, language: str | None = None) -> str | None:
    """Title of the page with the most documents, the latest edited one among equals; None when there is none."""
    return next(iter(busiest_titles(connection, 1, language)), None)


def busiest_titles(connection: Connection, most: int, language: str | None = None) -> Sequence[str]:
    """Titles of the pages with the most documents, most first, the latest edited first among equals."""
    rows = connection.execute(
        "SELECT title FROM documents WHERE language = coalesce(%s, language)"
        " GROUP BY wiki, title ORDER BY count(*) DESC, max(event_time) DESC LIMIT %s",
        (language, most),
    )
    return [str(row[0]) for row in rows]
