"""Moving to a second model and back while searches go on: how long each step takes, and what searches notice."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import httpx
import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from freshet.embedding import load_embedder, weights
from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store import bulk
from freshet.store.embeddings import Vector, add_embedding_model
from freshet.store.repository import Document
from freshet.telemetry import logs
from freshet.upkeep import reembed
from freshet.upkeep.moves import Asked
from freshet.upkeep.reembed import NICENESS
from local.bench import material
from local.client import client

Say = Callable[[str], None]

SECOND: Final = "minilm-l6-v2-int8-cls"
"""The packaged model, pooled by its first token: other vectors, of the same cost."""

AT_ONCE: Final = 1_000
QUIET_S: Final = 15.0
"""So long searches are measured before the move and after it."""

SETTLED_S: Final = 1.0
"""And after a model was dropped under them."""

SIMULATED: Final = 200_000
"""Without a recording so many events are looked through for different texts."""

PAUSE_S: Final = 0.1
"""Between two searches: somebody who searches, not a load test."""


def second_model(folder: Path) -> None:
    """A folder of that name in `folder`, as it would be downloaded."""
    model = folder / SECOND
    (model / "1_Pooling").mkdir(parents=True)
    (model / "model.onnx").symlink_to(weights.MINILM_MODEL.locate())
    (model / "tokenizer.json").symlink_to(weights.MINILM_TOKENIZER.locate())
    (model / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))


def measure(settings: Settings, documents: int, say: Say) -> dict[str, Any]:
    """In a stack whose store is empty: fill it, then move to the second model, back, and drop it, while it is searched.

    Keys: `documents`, `texts_per_second`, `embed_seconds`, `index_seconds`, `compare_seconds`, `move_seconds`,
    `recall`, `overlap`, `rollback_seconds`, and `searches` before, during and after, with what failed or was empty.
    """
    events = material.recorded(settings.recording) if settings.recording else islice(material.events(None), SIMULATED)
    found = list(islice(_documents(events), documents))
    if len(found) < documents:
        raise PermanentError(f"there are only {len(found):,} different texts to make documents of: name a --recording")
    first = settings.embedding_model
    _fill(settings, found, say)
    queries = [one["title"] for one in found]
    searches: dict[str, dict[str, Any]] = {}
    say(f"searching for {QUIET_S:g} s")
    with _searching(settings, queries, searches, "before"):
        time.sleep(QUIET_S)
    say(f"moving to {SECOND} while it is searched")
    with _searching(settings, queries, searches, "during"):
        moved, move_s = _upkeep(settings, Asked("move", SECOND, apply=True))
    with _searching(settings, queries, searches, "after"):
        time.sleep(QUIET_S)
    say(f"moving back to {first}, and dropping the other")
    with _searching(settings, queries, searches, "rollback"):
        _, rollback_s = _upkeep(settings, Asked("move", first, apply=True))
    with _searching(settings, queries, searches, "drop"):
        _upkeep(settings, Asked("drop", SECOND, apply=True))
        time.sleep(SETTLED_S)
    embedded = [part for name, part in moved.items() if name.startswith("embed ")]
    seconds, texts = (sum(part[name] for part in embedded) for name in ("seconds", "embedded"))
    index, compared = moved["index"], moved["compare"]
    return {
        "documents": len(found),
        "embedded": texts,
        "texts_per_second": round(texts / seconds, 1),
        "embed_seconds": round(seconds, 1),
        "index_seconds": index["index_seconds"],
        "compare_seconds": compared["seconds"],
        "move_seconds": move_s,
        "recall": compared["recall"],
        "overlap": compared["overlap"],
        "rollback_seconds": rollback_s,
        "searches": searches,
        "source": settings.source.value,
    }


def figures(took_ms: Sequence[float], failed: int, empty: int, degraded: int) -> dict[str, Any]:
    """What a phase's searches came to: `done` ones with their times, and those that went wrong."""
    quantiles = np.percentile(took_ms, [50, 95, 99]) if took_ms else (0, 0, 0)
    times = {
        name: round(float(value), 1) for name, value in zip(("p50_ms", "p95_ms", "p99_ms"), quantiles, strict=True)
    }
    return {"done": len(took_ms), "failed": failed, "empty": empty, "by_words_only": degraded, **times}


def _documents(events: Iterable[dict[str, Any]]) -> Iterator[Document]:
    """A document for every different text of the events, whatever their type, namespace and wiki: the usual rule would
    leave a tenth of a recording."""
    seen = set()
    for event in events:
        title, comment = str(event.get("title") or ""), str(event.get("comment") or "")
        text = "\n".join(filter(None, (title, comment)))
        if title and text not in seen:
            seen.add(text)
            yield material.document(event["meta"]["id"], event["wiki"], title, comment, text)


def _fill(settings: Settings, found: Sequence[Document], say: Say) -> None:
    embedder = load_embedder(settings)

    def rows() -> Iterator[tuple[Document, Vector]]:
        now = datetime.now(UTC)
        for begin in range(0, len(found), AT_ONCE):
            part = found[begin : begin + AT_ONCE]
            vectors = embedder.embed([one["text"] for one in part])
            yield from (({**one, "searchable_at": now}, vector) for one, vector in zip(part, vectors, strict=True))
            say(f"embedded {begin + len(part):,} of {len(found):,} texts by {embedder.model_id}")

    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        register_vector(connection)
        bulk.load(connection, add_embedding_model(connection, embedder.model_id, embedder.dimensions), rows())


def _upkeep(settings: Settings, asked: Asked) -> tuple[dict[str, Any], float]:
    """Done as a task of Airflow does it, in a process that gives way: its reports, and how long it took, s."""
    began = time.monotonic()
    with ProcessPoolExecutor(1, get_context("spawn"), _give_way, (settings.log_level,)) as pool:
        parts: dict[str, Any] = pool.submit(reembed.run, settings, asked).result()["parts"]
    return parts, round(time.monotonic() - began, 1)


def _give_way(log_level: str) -> None:
    os.nice(NICENESS)
    logs.configure("reembed", log_level)


@contextmanager
def _searching(
    settings: Settings, queries: Sequence[str], searches: dict[str, dict[str, Any]], phase: str
) -> Iterator[None]:
    """Somebody searches until the block ends; what came of it is noted under the phase."""
    stop = Event()
    took_ms: list[float] = []
    wrong = {"failed": 0, "empty": 0, "degraded": 0}

    def go_on() -> None:
        with client(settings, 30.0) as api:
            for query in cycle(queries):
                if stop.is_set():
                    return
                began = time.perf_counter()
                kind = _kind(api, query)
                if kind:
                    wrong[kind] += 1
                else:
                    took_ms.append(1000 * (time.perf_counter() - began))
                stop.wait(PAUSE_S)

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        searches[phase] = figures(took_ms, **wrong)


def _kind(api: httpx.Client, query: str) -> str | None:
    """What went wrong with a search; None when nothing did."""
    try:
        response = api.post("/v1/search", json={"query": query[:200]})
    except httpx.HTTPError:
        return "failed"
    if response.status_code != 200:
        return "failed"
    body = response.json()
    return "empty" if not body["results"] else "degraded" if body["degraded"] else None
