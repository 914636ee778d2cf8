"""Postgres out of connections: who needs a new one says so and waits, and goes on by itself when there are some."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from psycopg import Connection

from freshet.errors import TransientError
from freshet.settings import Settings
from freshet.store.migrate import migrate
from tests.documents import gold
from tests.indexer_builders import TextEmbedder
from tests.indexing import begin, behind, count, eventually, indexing, put
from tests.integration.conftest import Application

pytestmark = pytest.mark.integration


@contextmanager
def used_up(conninfo: str) -> Iterator[Connection]:
    """No connection of the server is free until the block ends, nor has any other one to this database. Gives one."""
    with ExitStack() as held:
        first = held.enter_context(psycopg.connect(conninfo, autocommit=True))
        mine = [first.info.backend_pid]

        def nobody_else() -> bool:
            """End the others, and take what they had before they ask again."""
            ended = first.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> ALL (%s)",
                (mine,),
            ).rowcount
            with suppress(psycopg.OperationalError):
                while True:
                    mine.append(held.enter_context(psycopg.connect(conninfo, autocommit=True)).info.backend_pid)
            return ended == 0

        eventually(nobody_else)
        yield first


def test_the_api_says_that_postgres_does_not_answer_and_answers_again_by_itself(
    application: Application, store: str
) -> None:
    with TestClient(application(None)) as client:
        assert client.post("/v1/search", json={"query": "anything"}).status_code == 200
        with used_up(store):
            refused = client.post("/v1/search", json={"query": "anything"})
            assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
            assert refused.json()["detail"] == "Postgres does not answer; try again."
            assert int(refused.headers["retry-after"]) > 0
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
        eventually(lambda: client.post("/v1/search", json={"query": "anything"}).status_code == 200)
        eventually(lambda: client.get("/readyz").status_code == 200)


def test_the_indexer_keeps_its_batch_until_it_gets_a_connection(settings: Settings, database: str) -> None:
    begin(settings, database)
    with indexing(settings, database, TextEmbedder()):
        put(settings, gold())
        eventually(lambda: count(database, "documents") == 1 and behind(settings) == 0)
        with used_up(database) as connection:
            put(settings, *(gold() for _ in range(20)))
            eventually(lambda: REGISTRY.get_sample_value("freshet_ready") == 0)
            assert connection.execute("SELECT count(*) FROM documents").fetchone() == (1,)
            assert behind(settings) == 20
        eventually(lambda: count(database, "documents") == 21)
        eventually(lambda: behind(settings) == 0)


def test_a_start_without_a_connection_is_tried_again(database: str) -> None:
    with used_up(database), pytest.raises(TransientError, match="too many clients"):
        migrate(database)
    assert migrate(database)
