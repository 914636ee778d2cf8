"""The first step of embedding beside the stream: everything is checked, a move begins, the work is cut into chunks."""

from time import perf_counter
from typing import Final, NamedTuple

from psycopg import Connection

from freshet.embedding import Embedder
from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store import maintenance, missing, models
from freshet.store.embeddings import Texts, VectorTable
from freshet.store.maintenance import VectorIndex
from freshet.store.missing import ALL_HASHES, EVERYTHING
from freshet.store.models import Model
from freshet.upkeep.moves import Asked, Chunk, chunk_size, table_bytes
from freshet.upkeep.reembed_steps import Report, embedder_of, opened

TEXTS: Final[tuple[Texts, Texts]] = ("documents", "pages")

PROBE_TEXTS: Final = 64
"""A dry run embeds so many to say how long all would take."""


class Planned(NamedTuple):
    """The parts of the work, and what they come to."""

    chunks: list[Chunk]
    report: Report


def plan(settings: Settings, asked: Asked) -> Planned:
    """Check what is asked for, begin a move, and cut the work into chunks; none for a dry run, which estimates instead.

    Raises ConfigError and PermanentError when it cannot work, TransientError when Postgres is away.
    """
    began = perf_counter()
    make = {"fill": _fill, "move": _move, "drop": _drop}[asked.action]
    with opened(settings) as connection:
        chunks, report = make(settings, asked, connection)
    report = {"applied": asked.apply, "action": asked.action, **report, "chunks": len(chunks)}
    return Planned(chunks, {**report, "seconds": round(perf_counter() - began, 3)})


def _fill(settings: Settings, asked: Asked, connection: Connection) -> Planned:
    model = models.get(connection, asked.model) if asked.model else models.active(models.listed(connection))
    if model is None:
        return Planned([], {"note": "the store has no active model yet: the indexer makes the first one"})
    if model.state == "retired":
        raise PermanentError(f"the model {model.model_id} is retired: move to it instead of filling it")
    of_documents, of_pages = (missing.count(connection, table, asked.span) for table in model.tables)
    lacks = of_documents + of_pages
    report: Report = {"model": model.model_id, "missing": lacks, "missing_of_pages": of_pages}
    if not lacks:
        return Planned([], report)
    embedder = embedder_of(settings, model.model_id)
    models.check_dimensions(model, embedder.dimensions)
    if not asked.apply:
        return Planned([], report | _estimate(connection, embedder, lacks))
    missing.note_progress(connection, model.model_id, "filling", lacks, 0, None)
    return Planned(_cut(connection, model, asked, lacks), report)


def _move(settings: Settings, asked: Asked, connection: Connection) -> Planned:
    known = models.listed(connection)
    embedder = embedder_of(settings, asked.model)
    models.check_building(known, asked.model, embedder.dimensions)
    model = models.find(known, asked.model)
    if model is not None and model.state == "active":
        return Planned([], {"model": asked.model, "note": "it is the active model already"})
    if asked.apply:
        model = models.start_building(connection, asked.model, embedder.dimensions)
    texts = sum(missing.count(connection, of, EVERYTHING) for of in TEXTS)
    of_documents, of_pages = (missing.count(connection, of, EVERYTHING) for of in (model.tables if model else TEXTS))
    lacks = of_documents + of_pages
    report: Report = {
        "model": asked.model, "dimensions": embedder.dimensions, "texts": texts, "missing": lacks,
        "missing_of_pages": of_pages,
    }  # fmt: skip
    if model is None or not asked.apply:
        return Planned([], report | _estimate(connection, embedder, lacks) | _space(embedder, texts))
    missing.note_progress(connection, asked.model, "embedding", texts, texts - lacks, None)
    return Planned(_cut(connection, model, asked, lacks), report)


def _drop(settings: Settings, asked: Asked, connection: Connection) -> Planned:
    del settings
    model = models.get(connection, asked.model)
    models.check_dropping(model)
    vectors = sum(maintenance.count_vectors(connection, table) for table in model.tables)
    return Planned([], {"model": asked.model, "state": model.state, "vectors": vectors})


def _cut(connection: Connection, model: Model, asked: Asked, lacks: int) -> list[Chunk]:
    """A move is of everything: its span has no bounds."""
    size = chunk_size(lacks, asked.chunk_texts)
    return [
        Chunk(table.texts, hashes)
        for table in model.tables
        for hashes in missing.cut(connection, table, asked.span, size)
    ]


def _estimate(connection: Connection, embedder: Embedder, texts: int) -> Report:
    """How long so many texts will take, by the store's own, s."""
    some = (missing.page(connection, of, ALL_HASHES, EVERYTHING, PROBE_TEXTS) for of in TEXTS)
    probed = [text for texts in some for text in texts.values()][:PROBE_TEXTS]
    if not probed:
        return {"estimated_seconds": 0.0}
    began = perf_counter()
    embedder.embed(probed)
    rate = len(probed) / (perf_counter() - began)
    return {"estimated_seconds": round(texts / rate, 1), "estimated_texts_per_second": round(rate, 1)}


def _space(embedder: Embedder, texts: int) -> Report:
    """Of documents and pages as if they were in one table."""
    index = VectorIndex(VectorTable(embedder.model_id, ""), embedder.dimensions, texts, 0)
    return {"estimated_bytes": table_bytes(texts, embedder.dimensions, index.needed_bytes)}
