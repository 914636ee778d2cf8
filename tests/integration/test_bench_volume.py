"""A large store made of few documents, and its measurement, in small, against a real Postgres."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest
from pgvector.psycopg import register_vector

from freshet.store import bulk
from freshet.store.embeddings import VectorTable
from freshet.store.migrate import migrate
from local.bench import volume
from tests.api_builders import BagOfWords, insert
from tests.documents import document

pytestmark = pytest.mark.integration

MODEL = BagOfWords()
TABLE = VectorTable(MODEL.model_id, "embeddings_bag_of_words")


@pytest.fixture
def real(database: str) -> list[tuple]:
    """Documents of a real store with their vectors."""
    migrate(database)
    pages = [document(title=f"Bridge {number}", comment=f"span {number % 7}") for number in range(30)]
    insert(
        database, *pages, document(title="Brücke", wiki="dewiki", language="de"), document(title="Most", language="pl")
    )
    with psycopg.connect(database, autocommit=True) as connection:
        register_vector(connection)
        return list(bulk.dump(connection, TABLE))


@pytest.fixture
def large(real: list[tuple], postgres: str) -> str:
    name = "test_volume"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    conninfo = postgres.rsplit("/", 1)[0] + f"/{name}"
    migrate(conninfo)
    volume.fill(conninfo, MODEL, real, 400, print)
    yield conninfo
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_large_store_has_more_pages_than_the_one_it_is_made_of_and_all_are_found_by_their_vectors(large):
    with psycopg.connect(large) as connection:
        pages = connection.execute("SELECT count(*), count(content_hash) FROM pages").fetchone()
        vectors = connection.execute("SELECT count(*) FROM page_embeddings_bag_of_words").fetchone()
    assert pages[0] == pages[1] == vectors[0] > 32


def test_documents_are_varied_within_their_wiki_and_each_has_a_vector_of_its_own(real, monkeypatch):
    monkeypatch.setattr(volume, "EARNEST", 150)
    made = list(volume.varied(real, 400, MODEL, datetime.now(UTC), print))
    texts = {one["wiki"]: set() for one, _ in made}
    for one, vector in made:
        texts[one["wiki"]].add(one["text"])
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-3)
    for one, vector in made[:150]:
        assert np.allclose(vector, MODEL.embed([one["text"]])[0], atol=1e-6)
    assert len({one["content_hash"] for one, _ in made}) == len({one["doc_id"] for one, _ in made}) == 400
    assert len(texts["enwiki"]) > 100
    assert {text.split()[0] for text in texts["dewiki"]} == {"Brücke"}


def test_the_same_store_is_made_every_time(real):
    now = datetime.now(UTC)
    first, second = (list(volume.varied(real, 100, MODEL, now, print)) for _ in range(2))
    assert [one["text"] for one, _ in first] == [one["text"] for one, _ in second]
    assert np.array_equal(first[-1][1], second[-1][1])


def test_a_bulk_load_leaves_a_store_that_can_be_searched_and_written_to(large):
    with psycopg.connect(large) as connection:
        index = connection.execute("SELECT indexdef FROM pg_indexes WHERE indexname LIKE '%hnsw'").fetchone()
        count = connection.execute("SELECT count(*) FROM documents JOIN embeddings_bag_of_words USING (content_hash)")
        assert "USING hnsw" in index[0]
        assert count.fetchone() == (400,)
        assert ("most",) in connection.execute("SELECT lexeme FROM lexemes").fetchall()


def test_it_is_searched_under_every_filter_and_compared_with_exact_search(large, real):
    questions = [(text, MODEL.embed([text])[0]) for text in ("bridge 3", "span 5", "brücke")]
    measured = asyncio.run(volume.measure(large, real, questions))
    assert measured["recall_at_10"].keys() == {"all", "wiki", "day", "page"}
    assert min(measured["recall_at_10"].values()) > 0.9
    assert set(measured["full_pages"].values()) == {1.0}
    assert measured["latency_ms"]["p95"] >= measured["latency_ms"]["p50"] > 0
    assert measured["latency_ms"].keys() == {"p50", "p95", "wiki", "day", "page"}
