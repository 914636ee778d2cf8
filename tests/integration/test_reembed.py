"""Filling missing vectors and moving to another model, on a real database."""

import json
import pkgutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from pydantic import SecretStr

from freshet.contract.pages import Description, Page
from freshet.embedding import Embedder
from freshet.errors import ConfigError, PermanentError, TransientError
from freshet.settings import CHECKOUT, Settings, load_settings
from freshet.store import embeddings, missing, models, repository
from freshet.store.migrate import migrate
from freshet.store.missing import Span
from freshet.store.repository import Batch, Made
from freshet.upkeep import reembed_steps as steps
from freshet.upkeep.moves import Asked
from freshet.upkeep.reembed import run
from freshet.upkeep.reembed_plan import plan
from local import overview
from tests.described import describe, embed_pages
from tests.documents import NOON, gold
from tests.indexer_builders import TextEmbedder
from tests.models import model_folder

pytestmark = pytest.mark.integration

MOVE = Asked("move", "new", apply=True, chunk_texts=16)
BACK = Asked("move", "old", apply=True)


@pytest.fixture
def settings(database: str) -> Settings:
    migrate(database)
    return load_settings(postgres_dsn=SecretStr(database))


@pytest.fixture
def connection(settings: Settings) -> Iterator[Connection]:
    with repository.connect(settings.conninfo) as connection:
        yield connection


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, TextEmbedder]:
    """The models that can be loaded: `old`, which the store begins with, and `new`."""
    known = {"old": TextEmbedder(model_id="old"), "new": TextEmbedder(model_id="new", dimensions=4)}

    def load(settings: Settings, model_id: str) -> Embedder:
        del settings
        if model_id not in known:
            raise ConfigError(f"unknown model {model_id!r}")
        return known[model_id]

    monkeypatch.setattr("freshet.upkeep.reembed_steps.embedder_of", load)
    monkeypatch.setattr("freshet.upkeep.reembed_plan.embedder_of", load)
    return known


def store(connection: Connection, *documents: dict[str, Any], vectors: bool = True, model: str = "old") -> None:
    """Documents with their vectors by the active model, or without."""
    embedder = TextEmbedder(model_id=model, dimensions=384 if model != "old" else 8)
    table = embeddings.add_embedding_model(connection, model, embedder.dimensions)
    texts = {document["content_hash"]: document["text"] for document in documents} if vectors else {}
    made = dict(zip(texts, embedder.embed(list(texts.values())), strict=True)) if texts else {}
    repository.write(connection, Batch(documents, [Made(table, made)]))


def count(connection: Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0])


def states(connection: Connection) -> dict[str, str]:
    return {model.model_id: model.state for model in models.listed(connection)}


def done(settings: Settings, asked: Asked) -> dict[str, Any]:
    parts: dict[str, Any] = run(settings, asked)["parts"]
    return parts


def test_a_move_and_the_way_back_and_each_of_them_twice(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder]
) -> None:
    store(connection, *(gold() for _ in range(50)))
    moved = done(settings, MOVE)
    assert [moved[f"embed {number}"]["embedded"] for number in range(4)] == [16, 16, 16, 2]
    assert moved["compare"]["recall"] == 1
    assert moved["switch"]["before"] == "old"
    assert states(connection) == {"new": "active", "old": "retired"}
    assert missing.progress(connection) == []

    again = done(settings, MOVE)
    assert again["plan"]["note"] == "it is the active model already"
    assert not again["switch"]["applied"]

    late = gold()
    repository.write(
        connection, Batch([late], [Made(models.get(connection, "new").table, vectors(known["new"], late))])
    )
    back = done(settings, BACK)
    assert back["embed 0"]["embedded"] == 1
    assert not back["index"]["made"]
    assert states(connection) == {"new": "retired", "old": "active"}
    assert done(settings, Asked("drop", "new", apply=True))["drop"]["dropped"] == "new"
    assert states(connection) == {"old": "active"}


def known_pages(count: int) -> dict[Page, Description | None]:
    return {
        Page("jawiki", f"山 {number}"): Description(f"Q{number}", None, "mountain", "en") for number in range(count)
    }


def test_a_move_takes_what_is_known_of_pages_along(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder]
) -> None:
    store(connection, *(gold() for _ in range(10)))
    describe(connection, known_pages(20))
    embed_pages(connection, known["old"])
    said = done(settings, Asked("move", "new"))["plan"]
    assert (said["texts"], said["missing"], said["missing_of_pages"]) == (30, 30, 20)

    moved = done(settings, MOVE)
    assert [moved[f"embed {number}"]["embedded"] for number in range(3)] == [10, 16, 4]
    assert (moved["compare"]["texts"], moved["compare"]["recall"]) == (30, 1)
    assert moved["switch"]["before"] == "old"
    assert [count(connection, table) for table in ("embeddings_new", "page_embeddings_new")] == [10, 20]
    assert done(settings, Asked("drop", "old"))["plan"]["vectors"] == 30


def test_a_fill_is_of_pages_too(settings: Settings, connection: Connection, known: dict[str, TextEmbedder]) -> None:
    store(connection, gold())
    describe(connection, known_pages(3))
    report = done(settings, Asked("fill", apply=True))
    assert (report["plan"]["missing"], report["plan"]["missing_of_pages"]) == (3, 3)
    assert report["embed 0"]["embedded"] == count(connection, "page_embeddings_old") == 3
    assert count(connection, "pending_embeddings") == 0


def vectors(embedder: TextEmbedder, *documents: dict[str, Any]) -> dict[str, Any]:
    return {one["content_hash"]: embedder.embed([one["text"]])[0] for one in documents}


def test_unasked_it_only_says_what_it_would_do(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder]
) -> None:
    store(connection, *(gold() for _ in range(20)))
    said = done(settings, Asked("move", "new"))["plan"]
    assert (said["applied"], said["texts"], said["missing"], said["chunks"]) == (False, 20, 20, 0)
    assert said["estimated_texts_per_second"] > 0
    assert said["estimated_bytes"] > 20 * 64
    assert states(connection) == {"old": "active"}
    connection.execute("DELETE FROM embeddings_old")
    assert done(settings, Asked("fill"))["plan"]["missing"] == 20
    assert count(connection, "embeddings_old") == 0
    connection.execute("SELECT add_embedding_model('new', 4, 'building')")
    assert done(settings, Asked("drop", "new"))["plan"]["state"] == "building"
    assert states(connection) == {"new": "building", "old": "active"}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (Asked("move", "unknown", apply=True), "unknown model 'unknown'"),
        (Asked("move", "wide", apply=True), "wide has 5 dimensions, its table in the store 4"),
        (Asked("move", "wide"), "wide has 5 dimensions, its table in the store 4"),
        (Asked("drop", "old", apply=True), "old is the active one"),
        (Asked("drop", "unknown", apply=True), "the store has no model unknown; it has old"),
        (Asked("fill", "wide", apply=True), "wide is retired: move to it"),
    ],
)
def test_what_cannot_work_fails_in_the_plan(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder], asked: Asked, error: str
) -> None:
    store(connection, gold())
    connection.execute("SELECT add_embedding_model('wide', 4, 'building')")
    connection.execute("UPDATE embedding_models SET state = 'retired' WHERE model_id = 'wide'")
    known["wide"] = TextEmbedder(model_id="wide", dimensions=5)
    with pytest.raises((PermanentError, ConfigError), match=error):
        plan(settings, asked)
    assert states(connection) == {"old": "active", "wide": "retired"}


def test_a_model_that_is_not_good_enough_is_not_switched_to(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder]
) -> None:
    store(connection, *(gold() for _ in range(40)))
    asked = Asked("move", "new", apply=True, least_overlap=0.99)
    with pytest.raises(PermanentError, match=r"not switched to: overlap is 0\.\d+, least is 0.99"):
        done(settings, asked)
    assert states(connection) == {"new": "building", "old": "active"}
    assert "not switched to" in missing.progress(connection)[0].phase
    ready = done(settings, Asked("move", "new", apply=True, switch=False))
    assert "switch" not in ready
    assert missing.progress(connection)[0].phase == "ready to be switched to"


def test_a_provider_that_is_away_ends_a_chunk_which_then_goes_on_where_it_was(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder]
) -> None:
    store(connection, *(gold(text=f"text {number}") for number in range(100)), gold(text="odd"))
    odd = gold(text="odd")["content_hash"]
    known["new"].failure, known["new"].refused = PermanentError("too odd"), "odd"
    (chunk,) = plan(settings, Asked("move", "new", apply=True)).chunks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known["new"], "embed", failing_after(known["new"], texts=40))
        with pytest.raises(TransientError, match="provider is away"):
            steps.embed(settings, MOVE, chunk)
    there = count(connection, "embeddings_new")
    assert 0 < there < 100
    report = steps.embed(settings, MOVE, chunk)
    assert (report["embedded"], report["left_pending"]) == (100 - there, 1)
    assert connection.execute("SELECT content_hash, error FROM pending_embeddings").fetchall() == [(odd, "too odd")]
    (seen,) = missing.progress(connection)
    assert (seen.texts, seen.done) == (101, 100)
    assert seen.texts_per_second


def failing_after(embedder: TextEmbedder, texts: int) -> Any:
    embed, asked = embedder.embed, 0

    def fail(batch: Any) -> Any:
        nonlocal asked
        asked += len(batch)
        if asked > texts:
            raise TransientError("provider is away")
        return embed(batch)

    return fail


def test_a_fill_is_of_the_documents_of_its_interval_and_of_what_was_pending(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder]
) -> None:
    documents = [gold(event_time=NOON + timedelta(days=day)) for day in range(4)]
    store(connection, *documents, vectors=False)
    assert count(connection, "pending_embeddings") == 4
    day = Span(NOON + timedelta(days=1), NOON + timedelta(days=3))
    report = done(settings, Asked("fill", apply=True, span=day))
    assert report["embed 0"]["embedded"] == 2
    pending = {row[0] for row in connection.execute("SELECT content_hash FROM pending_embeddings").fetchall()}
    assert pending == {documents[0]["content_hash"], documents[3]["content_hash"]}
    assert missing.progress(connection) == []
    known.clear()
    assert done(settings, Asked("fill", apply=True, span=day))["plan"]["missing"] == 0


def test_a_store_without_any_model_has_nothing_to_fill_and_nothing_to_move_from(
    settings: Settings, known: dict[str, TextEmbedder]
) -> None:
    assert "no active model yet" in done(settings, Asked("fill", apply=True))["plan"]["note"]
    with pytest.raises(PermanentError, match="no active model yet"):
        done(settings, MOVE)


def test_what_arrives_while_the_index_is_made_is_embedded_before_the_switch(
    settings: Settings, connection: Connection, known: dict[str, TextEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    store(connection, *(gold() for _ in range(5)))
    build = models.build_indexes

    def meanwhile(*given: Any) -> bool:
        store(connection, gold(), gold())
        # noted as pending by the new model as well, which no indexer may have loaded
        describe(connection, known_pages(3))
        return build(*given)

    monkeypatch.setattr(models, "build_indexes", meanwhile)
    report = done(settings, MOVE)
    assert report["index"]["arrived_meanwhile"] == 5
    assert report["switch"]["before"] == "old"


class KilledError(Exception):
    """Stands for a kill in the middle of a step."""


@pytest.mark.parametrize(
    "killed_in",
    [
        "freshet.store.embeddings.put_vectors",
        "freshet.store.models.build_indexes",
        "freshet.upkeep.reembed_steps._compare",
        "freshet.store.models._check_table",
        "freshet.store.maintenance.note_missing",
    ],
)
def test_killed_in_any_step_a_move_is_whole_when_it_is_run_again_and_a_model_is_active_throughout(
    settings: Settings,
    connection: Connection,
    known: dict[str, TextEmbedder],
    monkeypatch: pytest.MonkeyPatch,
    killed_in: str,
) -> None:
    store(connection, *(gold(text=f"text {n}") for n in range(40)))
    doing = pkgutil.resolve_name(killed_in)

    def killed(*given: Any) -> None:
        doing(*given)
        raise KilledError

    with monkeypatch.context() as kill:
        kill.setattr(killed_in, killed)
        with pytest.raises(KilledError):
            run(settings, MOVE)
    switched = killed_in.endswith("note_missing")
    assert states(connection) == (
        {"new": "active", "old": "retired"} if switched else {"new": "building", "old": "active"}
    )
    run(settings, MOVE)
    assert states(connection) == {"new": "active", "old": "retired"}
    assert count(connection, "embeddings_new") == count(connection, "embeddings_old") == 40
    assert count(connection, "pending_embeddings") == 0


def test_killed_while_it_embeds_it_goes_on_where_it_was(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    model_folder(tmp_path, "mini-cls")
    texts = 400
    store(connection, *(gold(text=f"text number {n}") for n in range(texts)), model="minilm-l6-v2-int8")
    command = [sys.executable, "-m", "freshet.upkeep.reembed", "move", "--model", "mini-cls", "--apply"]
    given = {"FRESHET_POSTGRES_DSN": settings.conninfo, "FRESHET_MODELS_DIR": str(tmp_path)}
    killed = subprocess.Popen(command, cwd=CHECKOUT, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not embedded(connection):
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    there = count(connection, "embeddings_mini_cls")
    assert 0 < there < texts
    (seen,) = missing.progress(connection)
    assert seen.done == there
    ended = subprocess.run(command, cwd=CHECKOUT, env=given, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert json.loads(ended.stdout)["parts"]["embed 0"]["embedded"] == texts - there
    assert states(connection) == {"mini-cls": "active", "minilm-l6-v2-int8": "retired"}


def embedded(connection: Connection) -> bool:
    try:
        return count(connection, "embeddings_mini_cls") > 0
    except psycopg.errors.UndefinedTable:
        return False


def test_status_says_how_far_a_build_is_and_nothing_when_there_is_none(
    settings: Settings, connection: Connection
) -> None:
    store(connection, gold())
    assert overview._embedding(settings) == {}
    missing.note_progress(connection, "old", "embedding", 1000, 250, 50.0)
    figures = overview._embedding(settings)
    assert list(overview.lines(figures)) == [
        "embedding old: embedding, 250 of 1,000 texts, 50.0 texts/s, 15 s left, 0 s ago"
    ]
