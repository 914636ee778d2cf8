"""The steps of embedding beside the stream, after the plan. Each may be killed and run again; each returns a report."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from time import monotonic, perf_counter
from typing import Any, Final

import numpy as np
import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.errors import UndefinedTable

from freshet.embedding import Embedder, load_embedder
from freshet.errors import PermanentError, TransientError
from freshet.settings import Settings
from freshet.store import embeddings, maintenance, missing, models, neighbours
from freshet.store.embeddings import VectorTable
from freshet.store.failures import translated
from freshet.store.missing import ALL_HASHES, EVERYTHING, Hashes, Span
from freshet.store.models import Model
from freshet.store.repository import CONNECT_TIMEOUT_S
from freshet.telemetry import logs
from freshet.upkeep.moves import Asked, Chunk, Compared, Pace, overlap, recall

Report = dict[str, Any]

PAGE_TEXTS: Final = 256
AT_ONCE: Final = 32
"""Texts of one transaction: less than half a second's work."""

LOG_EVERY_S: Final = 10.0
SAMPLE: Final = 100
"""So many texts serve as queries when two models are compared."""

NEAREST: Final = 10
TIDY_WAIT_S: Final = 1_800.0
"""So long the index waits for upkeep of the store to end."""

ROUNDS: Final = 10
"""So often what arrived meanwhile is embedded; each time it is less."""


@contextmanager
def opened(settings: Settings) -> Iterator[Connection]:
    """A connection for this. Raises TransientError when Postgres is away, PermanentError when a model was dropped."""
    try:
        with (
            translated(),
            # planned for their own values: how far along the hashes a page is decides the plan
            psycopg.connect(
                settings.conninfo, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, prepare_threshold=None
            ) as connection,
        ):
            register_vector(connection)
            embeddings.stage(connection)
            yield connection
    except UndefinedTable as error:
        raise PermanentError(f"the model was dropped meanwhile: {error}") from error


def embedder_of(settings: Settings, model_id: str) -> Embedder:
    """The model, with as many texts side by side as leave room for the stream."""
    return load_embedder(settings.model_copy(update={"embedding_sessions": settings.reembed_sessions}), model_id)


def embed(settings: Settings, asked: Asked, chunk: Chunk) -> Report:
    """Make the vectors that are missing in this chunk. Those that are there already cost nothing.

    Raises TransientError when the provider or Postgres is away: what was done until then stays.
    """
    began = perf_counter()
    with opened(settings) as connection:
        model = _model(connection, asked)
        embedder = embedder_of(settings, model.model_id)
        table = model.page_table if chunk.texts == "pages" else model.table
        done, pending = _embed(connection, table, embedder, asked.span, chunk.hashes)
    seconds = round(perf_counter() - began, 3)
    return {"applied": True, "embedded": done, "left_pending": pending, "seconds": seconds}


def index(settings: Settings, asked: Asked) -> Report:
    """Make the vector indexes, now that most vectors are there, and then the vectors of what arrived meanwhile: pages
    that were described then are noted as pending, and may have nobody else who embeds them.

    Raises TransientError when more keeps arriving than is embedded, or upkeep of the store does not end.
    """
    began = perf_counter()
    with opened(settings) as connection:
        model = _model(connection, asked)
        _note(connection, model, "making the vector indexes")
    with translated(), maintenance.connect(settings.conninfo, TIDY_WAIT_S) as alone:
        made = models.build_indexes(alone, model)
    seconds = round(perf_counter() - began, 3)
    logs.get().info(
        "vector indexes made" if made else "vector indexes are there", model=model.model_id, seconds=seconds
    )
    report: Report = {"applied": True, "made": made, "index_seconds": seconds, "arrived_meanwhile": 0}
    with opened(settings) as connection:
        embedder = embedder_of(settings, model.model_id)
        for _ in range(ROUNDS):
            for table in model.tables:
                report["arrived_meanwhile"] += _embed(connection, table, embedder, EVERYTHING, ALL_HASHES)[0]
            lacks = models.lacking(connection, model)
            if lacks.missing <= lacks.pending:
                return {**report, "seconds": round(perf_counter() - began, 3)}
    raise TransientError(f"texts without a vector by {model.model_id} arrive as fast as they are embedded")


def compare(settings: Settings, asked: Asked) -> Report:
    """The new model beside the active one, and the new indexes beside comparing all. `faults` say why not to switch."""
    began = perf_counter()
    with opened(settings) as connection:
        known = models.listed(connection)
        new, old = models.get(connection, asked.model), models.active(known)
        if old is None or old.model_id == new.model_id:
            return {"applied": False, "faults": [], "note": "it is the active model", "seconds": 0.0}
        _note(connection, new, "comparing")
        compared = _compare(connection, new, old)
        faults = compared.faults(asked)
        _note(connection, new, f"not switched to: {', '.join(faults)}" if faults else "ready to be switched to")
    seconds = round(perf_counter() - began, 3)
    logs.get().info("compared", new=new.model_id, old=old.model_id, **asdict(compared), seconds=seconds)
    return {"applied": True, **asdict(compared), "faults": faults, "seconds": seconds}


def switch(settings: Settings, asked: Asked) -> Report:
    """Make the model the active one; the one before stays as it is. Raises PermanentError when it is not whole."""
    began = perf_counter()
    with opened(settings) as connection:
        before = models.switch(connection, asked.model)
        tables = models.get(connection, asked.model).tables
        noted = sum(maintenance.note_missing(connection, table) for table in tables)
    logs.get().info("switched" if before else "it is the active model already", model=asked.model, before=before)
    seconds = round(perf_counter() - began, 3)
    return {"applied": before is not None, "before": before, "made_pending": noted, "seconds": seconds}


def drop(settings: Settings, asked: Asked) -> Report:
    """Delete the model and its vectors. Raises PermanentError when it is the active one, TransientError while it is
    read."""
    began = perf_counter()
    with opened(settings) as connection:
        gone = models.drop(connection, asked.model)
    return {"applied": gone, "dropped": asked.model if gone else None, "seconds": round(perf_counter() - began, 3)}


def finish(settings: Settings, asked: Asked) -> None:
    """A fill has ended: nothing more is to be seen of it. A move that waits to be switched to is still seen."""
    with opened(settings) as connection:
        known = models.listed(connection)
        model = models.find(known, asked.model) if asked.model else models.active(known)
        if asked.action == "fill" and model is not None:
            missing.forget_progress(connection, model.model_id)


def _model(connection: Connection, asked: Asked) -> Model:
    model = None if asked.model else models.active(models.listed(connection))
    return model or models.get(connection, asked.model)


def _note(connection: Connection, model: Model, phase: str) -> None:
    if model.state == "building":
        lacks = models.lacking(connection, model)
        missing.note_progress(connection, model.model_id, phase, lacks.texts, lacks.texts - lacks.missing, None)


def _embed(
    connection: Connection, table: VectorTable, embedder: Embedder, span: Span, hashes: Hashes
) -> tuple[int, int]:
    """How many vectors were made, and how many texts wait, because they cannot be embedded."""
    pace, said = Pace(monotonic()), monotonic()
    done = waiting = 0
    for texts in _batches(connection, table, span, hashes):
        made, refused = _vectors(embedder, texts)
        rate = pace.add(len(texts), monotonic())
        with connection.transaction():
            embeddings.put_vectors(connection, table, made)
            for content_hash, error in refused.items():
                one = {content_hash: texts[content_hash]}
                embeddings.put_pending(connection, table.model_id, one, error, table.texts)
            missing.add_done(connection, table.model_id, len(made), rate)
        done, waiting = done + len(made), waiting + len(refused)
        if monotonic() > said + LOG_EVERY_S:
            said = monotonic()
            _say(connection, table)
    _say(connection, table)
    return done, waiting


def _say(connection: Connection, table: VectorTable) -> None:
    for seen in missing.progress(connection):
        if seen.model_id == table.model_id:
            logs.get().info(str(seen))


def _batches(connection: Connection, table: VectorTable, span: Span, hashes: Hashes) -> Iterator[Mapping[str, str]]:
    while texts := missing.page(connection, table, hashes, span, PAGE_TEXTS):
        rest = iter(texts.items())
        while batch := dict(islice(rest, AT_ONCE)):
            yield batch
        hashes = hashes._replace(after=[*texts][-1])


def _vectors(embedder: Embedder, texts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Vectors by content hash; and why those have none that can never be embedded. Raises TransientError."""
    try:
        return dict(zip(texts, embedder.embed(list(texts.values())), strict=True)), {}
    except PermanentError as error:
        if len(texts) == 1:
            return {}, dict.fromkeys(texts, str(error))
    made: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for content_hash, text in texts.items():
        one, no = _vectors(embedder, {content_hash: text})
        made, refused = made | one, refused | no
    return made, refused


def _compare(connection: Connection, new: Model, old: Model) -> Compared:
    both = [_compare_tables(connection, *tables) for tables in zip(new.tables, old.tables, strict=True)]
    return Compared(sum(one.texts for one in both), min(one.overlap for one in both), min(one.recall for one in both))


def _compare_tables(connection: Connection, new: VectorTable, old: VectorTable) -> Compared:
    overlaps, recalls = [], []
    for one in neighbours.sample(connection, new, old, SAMPLE):
        best = neighbours.exact(connection, new, one.content_hash, one.new, NEAREST)
        before = neighbours.exact(connection, old, one.content_hash, one.old, NEAREST)
        found = neighbours.indexed(connection, new, one.content_hash, one.new, NEAREST)
        overlaps.append(overlap([key for key, _ in best], [key for key, _ in before]))
        recalls.append(recall(found, best))
    if not overlaps:
        return Compared(0, 1.0, 1.0)
    return Compared(len(overlaps), round(float(np.mean(overlaps)), 4), round(float(np.mean(recalls)), 4))
