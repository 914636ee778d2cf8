"""What is known of pages, put into a store as `context` would."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from psycopg import Connection

from freshet.contract.pages import Description, Page
from freshet.embedding import Embedder
from freshet.store import context, embeddings, missing, models
from freshet.store.context import Answered, Seen
from freshet.store.missing import ALL_HASHES, EVERYTHING
from tests.documents import NOON

FUJI = Page("jawiki", "富士山")
MOUNTAIN = Description("Q39231", "Mount Fuji", "volcano in Japan", "en")


def describe(
    connection: Connection, said: Mapping[Page, Description | None], origin: str = "Wikidata", at: datetime = NOON
) -> None:
    """Have these pages seen and answered."""
    context.note_seen(connection, {page: Seen(at, at) for page in said})
    with connection.transaction():
        context.describe(connection, Answered(said, origin, timedelta(days=30), timedelta(hours=24)))


def embed_pages(connection: Connection, embedder: Embedder) -> None:
    """Give all texts of pages their vectors by a model of the store."""
    table = models.get(connection, embedder.model_id).page_table
    texts = missing.page(connection, table, ALL_HASHES, EVERYTHING, 1_000_000)
    with connection.transaction():
        embeddings.put_vectors(
            connection, table, dict(zip(texts, embedder.embed(list(texts.values())), strict=True)) if texts else {}
        )
