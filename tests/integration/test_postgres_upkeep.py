"""Retention, vectors of no document and grown indexes, on a real database that is read and written meanwhile."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from psycopg import Connection
from pydantic import SecretStr

from freshet.contract.pages import Description, Page
from freshet.errors import TransientError
from freshet.settings import CHECKOUT, Settings, load_settings
from freshet.store import embeddings, maintenance, repository
from freshet.store.embeddings import VectorTable
from freshet.store.migrate import migrate
from freshet.store.repository import Batch, Made
from freshet.upkeep import postgres
from tests.described import describe, embed_pages
from tests.documents import gold
from tests.indexer_builders import TextEmbedder

pytestmark = pytest.mark.integration

EMBEDDER = TextEmbedder()
KEEPS = {"retention_days": 30, "answers_retention_days": 90, "sla_retention_days": 7}


@pytest.fixture
def tidy(database: str) -> Settings:
    migrate(database)
    return load_settings(postgres_dsn=SecretStr(database), **KEEPS)


@pytest.fixture
def connection(tidy: Settings) -> Iterator[Connection]:
    with repository.connect(tidy.conninfo) as connection:
        yield connection


@pytest.fixture
def table(connection: Connection) -> VectorTable:
    return embeddings.add_embedding_model(connection, EMBEDDER.model_id, EMBEDDER.dimensions)


def store(connection: Connection, table: VectorTable, *documents: dict[str, Any], vectors: bool = True) -> None:
    texts = {document["content_hash"]: document["text"] for document in documents}
    made = dict(zip(texts, EMBEDDER.embed(list(texts.values())), strict=True)) if vectors else {}
    repository.write(connection, Batch(documents, [Made(table, made)]))


def old(days: float, **given: Any) -> dict[str, Any]:
    return gold(event_time=datetime.now(UTC) - timedelta(days=days), **given)


RECORDS_OF_UPKEEP = {"sla_checks", "sla_breaches", "upkeep_reports"}


def many(count: int, days: float) -> list[dict[str, Any]]:
    return [old(days, text=f"{uuid4()}") for _ in range(count)]


def count(connection: Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0])


def keep_answer(connection: Connection, days: float) -> None:
    asked_at = datetime.now(UTC) - timedelta(days=days)
    answer_id = uuid4()
    connection.execute(
        "INSERT INTO answers VALUES (%s, %s, 'q', 'a', 'refused', 'extractive', NULL, '{}', '{}', 1)",
        (answer_id, asked_at),
    )
    connection.execute("INSERT INTO feedback (answer_id, rating) VALUES (%s, 'up')", (answer_id,))


def check(connection: Connection, days: float) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    connection.execute("INSERT INTO sla_checks VALUES (%s, 'lake_age', 'ok', 1, 's', 2, '')", (at,))
    connection.execute(
        "INSERT INTO sla_breaches (breach_id, name, begun_at, ended_at, unit, detail) VALUES (%s, 'x', %s, %s, '', '')",
        (uuid4(), at, at),
    )
    connection.execute("INSERT INTO upkeep_reports VALUES ('dag', %s, 'part', false, %s, 1, '{}')", (str(uuid4()), at))


def test_what_is_too_old_goes_with_its_vectors_and_the_rest_stays(
    tidy: Settings, connection: Connection, table: VectorTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "BATCH_ROWS", 4)
    store(connection, table, *many(10, days=31), *many(6, days=29), old(31, text="shared"), old(1, text="shared"))
    for days in (89, 91):
        keep_answer(connection, days)
    for days in (6, 8):
        check(connection, days)
    report = postgres.run(tidy, apply=True)
    assert (
        report["expired"]
        == report["deleted"]
        == {"documents": 11, "pages": 0, "answers": 1, **dict.fromkeys(RECORDS_OF_UPKEEP, 1)}
    )
    assert (report["orphans_deleted"], report["made_pending"]) == (10, 0)
    assert [count(connection, name) for name in ("documents", table.name, "answers", "feedback", "sla_checks")] == [
        7, 7, 1, 1, 1
    ]  # fmt: skip
    shared = gold(text="shared")["content_hash"]
    assert embeddings.embedded(connection, table, [shared]) == {shared}


def test_without_being_told_to_it_only_says_what_it_would_do(
    tidy: Settings, connection: Connection, table: VectorTable
) -> None:
    store(connection, table, *many(3, days=31))
    report = postgres.run(tidy, apply=False)
    assert (report["applied"], report["expired"]["documents"]) == (False, 3)
    assert count(connection, "documents") == 3
    assert report["before"]["indexes"][0]["search_ms"] > 0


def test_by_default_no_document_and_no_answer_is_ever_too_old(connection: Connection, table: VectorTable) -> None:
    store(connection, table, *many(3, days=4000))
    keep_answer(connection, 4000)
    settings = load_settings(postgres_dsn=SecretStr(connection.info.dsn + f" password={connection.info.password}"))
    report = postgres.run(settings, apply=True)
    assert set(report["expired"]) == RECORDS_OF_UPKEEP
    assert (count(connection, "documents"), count(connection, "answers")) == (3, 1)


def test_a_document_whose_vector_was_taken_from_it_gets_another(
    tidy: Settings, connection: Connection, table: VectorTable
) -> None:
    store(connection, table, document := old(1, text="relied on a vector"), vectors=False)
    # whoever writes a document whose vector is not there notes that: here it went afterwards
    connection.execute("DELETE FROM pending_embeddings")
    report = postgres.run(tidy, apply=True)
    assert report["made_pending"] == 1
    assert embeddings.count_pending(connection, table.model_id) == 1
    assert document["content_hash"] in {
        row[0] for row in connection.execute("SELECT content_hash FROM pending_embeddings").fetchall()
    }
    assert postgres.run(tidy, apply=True)["made_pending"] == 0


@pytest.mark.parametrize(("dimensions", "vectors"), [(8, 2000), (384, 500), (1536, 200)])
def test_a_new_index_is_as_large_as_it_needs_to_be(
    tidy: Settings, connection: Connection, dimensions: int, vectors: int
) -> None:
    table = embeddings.add_embedding_model(connection, "new", dimensions)
    drawn = np.random.default_rng(1).normal(size=(vectors, dimensions)).astype(np.float32)
    with connection.transaction():
        embeddings.put_vectors(connection, table, {f"hash-{number}": row for number, row in enumerate(drawn)})
    index, _ = maintenance.vector_indexes(connection)
    assert index.vectors == vectors
    assert index.growth == pytest.approx(1, abs=0.15)
    maintenance.reindex(connection, index)
    assert maintenance.vector_indexes(connection)[0].growth == pytest.approx(1, abs=0.15)


def test_an_index_that_has_grown_is_built_anew_while_it_is_searched_and_written(
    tidy: Settings, connection: Connection, table: VectorTable
) -> None:
    store(connection, table, *many(3000, days=31), *many(200, days=1))
    stop = Event()
    written = []

    def write() -> None:
        with repository.connect(tidy.conninfo) as other:
            while not stop.is_set():
                documents = many(5, days=1)
                store(other, table, *documents)
                written.extend(document["content_hash"] for document in documents)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        report = postgres.run(tidy, apply=True)
        stop.set()
        writing.result()
    assert report["reindexed"] == [table.index_name]
    before, after = report["before"]["indexes"][0], report["after"]["indexes"][0]
    assert after["bytes"] < before["bytes"] / 2
    assert after["search_ms"] > 0
    assert written
    assert embeddings.embedded(connection, table, written) == set(written)
    assert not maintenance.vector_indexes(connection)[0].growth >= tidy.reindex_from
    assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchall() == [(0,)]


def test_a_page_goes_with_its_last_document_and_takes_its_vector_along(
    tidy: Settings, connection: Connection, table: VectorTable
) -> None:
    store(connection, table, old(31, title="Gone"), old(31, title="Busy"), old(1, title="Busy"))
    known = {Page("enwiki", title): Description(title, None, f"about {title}", "en") for title in ("Gone", "Busy")}
    describe(connection, {**known, Page("enwiki", "Unknown"): None}, at=datetime.now(UTC) - timedelta(days=31))
    embed_pages(connection, EMBEDDER)
    assert postgres.run(tidy, apply=False)["expired"]["pages"] == 2

    report = postgres.run(tidy, apply=True)
    assert report["deleted"]["pages"] == 2
    assert connection.execute("SELECT title FROM pages").fetchall() == [("Busy",)]
    assert (report["orphans_deleted"], report["made_pending"]) == (1 + 1, 0)
    assert [(one["of"], one["vectors"]) for one in report["after"]["indexes"]] == [("documents", 1), ("pages", 1)]


def test_a_text_of_a_page_that_lacks_its_vector_is_noted_and_another_vector_is_no_page_s(
    tidy: Settings, connection: Connection, table: VectorTable
) -> None:
    page = Page("enwiki", "Etna")
    describe(connection, {page: Description("Q16990", None, "volcano", "en")})
    embed_pages(connection, EMBEDDER)
    describe(connection, {page: Description("Q16990", None, "volcano in Sicily", "en")})
    connection.execute("DELETE FROM pending_embeddings")
    report = postgres.run(tidy, apply=True)
    assert (report["orphans_deleted"], report["made_pending"]) == (1, 1)
    assert embeddings.count_pending(connection, table.model_id, "pages") == 1


def test_an_index_of_pages_that_has_grown_is_built_anew(
    tidy: Settings, connection: Connection, table: VectorTable
) -> None:
    gone = {
        Page("enwiki", f"Page {number}"): Description("Q1", None, f"about {number}", "en") for number in range(2000)
    }
    describe(connection, gone)
    embed_pages(connection, EMBEDDER)
    connection.execute("UPDATE pages SET (text, content_hash) = (NULL, NULL) WHERE title <> 'Page 1'")
    report = postgres.run(tidy, apply=True)
    assert report["reindexed"] == [f"page_{table.index_name}"]
    assert report["after"]["indexes"][1]["bytes"] < report["before"]["indexes"][1]["bytes"] / 2


def test_what_an_attempt_that_was_cut_off_left_behind_is_taken_away(connection: Connection, table: VectorTable) -> None:
    store(connection, table, *many(50, days=1))
    name = f"{table.name}_hnsw_ccnew"
    connection.execute(f"CREATE INDEX {name} ON {table.name} USING hnsw (embedding halfvec_cosine_ops)".encode())
    connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", (name,))
    maintenance.reindex(connection, maintenance.vector_indexes(connection)[0])
    names = connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = %s", (table.name,)).fetchall()
    assert {row[0] for row in names} == {f"{table.name}_pkey", f"{table.name}_hnsw"}


def test_of_two_who_tidy_up_at_once_the_second_is_told_to_come_again(tidy: Settings) -> None:
    with maintenance.connect(tidy.conninfo), pytest.raises(TransientError, match="by somebody else"):
        postgres.run(tidy, apply=True)


def test_a_document_that_is_being_written_is_left_for_the_next_time(
    tidy: Settings, connection: Connection, table: VectorTable
) -> None:
    busy, idle = many(2, days=31)
    store(connection, table, busy, idle)
    with psycopg.connect(tidy.conninfo) as other:
        other.execute("SELECT FROM documents WHERE doc_id = %s FOR UPDATE", (busy["doc_id"],))
        assert postgres.run(tidy, apply=True)["deleted"]["documents"] == 1
    assert postgres.run(tidy, apply=True)["deleted"]["documents"] == 1


def test_the_command_prints_one_report(tidy: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "freshet.upkeep.postgres"],
        cwd=CHECKOUT, env={"FRESHET_POSTGRES_DSN": tidy.conninfo}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["applied"] is False
