"""How well and how fast searches find: on judged questions over real edits, on XQuAD, and in a large store."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from pgvector.psycopg import register_vector

from freshet.embedding import Embedder, load_embedder
from freshet.settings import Settings
from freshet.store import bulk, repository
from freshet.store.embeddings import Vector, add_embedding_model
from freshet.store.filters import Filters
from freshet.store.maintenance import database_bytes
from freshet.store.repository import Document
from local.bench import context, material, refusal, volume
from local.bench.backlog import until_documents
from local.bench.legs import Asked, by_leg, by_words_weight, look, with_and_without_context
from local.bench.relevance import Paragraph, Question, edit_questions, paragraphs
from local.bench.temporary import temporary_database

Say = Callable[[str], None]

RECORDING: Final = "recentchange.ndjson.gz"
JUDGED: Final = "edit-queries.jsonl"
XQUAD: Final = "xquad-en.jsonl"
DESCRIPTIONS: Final = "page-descriptions.jsonl"

FILES: Final = (RECORDING, JUDGED, XQUAD, DESCRIPTIONS)

JUDGED_WIKIS: Final = ("enwiki", "simplewiki")
"""The judge read the edits of these: a fitting one of another wiki would count as wrong."""

REQUESTS_PER_MINUTE: Final = 6_000
"""The stand-in for Wikidata is on this machine, and nobody else asks it."""

STILL_S: Final = 10
VOLUME_QUESTIONS: Final = 200


def overrides(folder: Path) -> dict[str, Any]:
    """Settings by which the recording's pages are described, by the file in `folder`."""
    return {"context_descriptions": folder / DESCRIPTIONS, "context_requests_per_minute": REQUESTS_PER_MINUTE}


def measure(settings: Settings, folder: Path, documents: int, say: Say) -> dict[str, Any]:
    """All of it, in a stack that reads `folder`'s recording and has indexed nothing yet.

    Keys: `edits` without and with context by kind of question, `edits_by_leg`, `edits_all_wikis` and `xquad` by leg,
    with `ndcg10` and `recall10`; `edits_by_words_weight`; `refusal`; and of a store of so many `documents`
    `recall_at_10`, `full_pages` and `latency_ms` by filter, and `database_bytes_per_document`.
    """
    judged, passages = edit_questions(folder / JUDGED), paragraphs(folder / XQUAD)
    embedder = load_embedder(settings)
    say("indexing the recording, through the stream")
    real = _index_recording(settings, embedder, say)
    say(f"embedding {len(judged)} judged questions and those of {len(passages)} paragraphs")
    asked = _embedded(embedder, judged)
    off_topic = _embedded(embedder, [Question(text, "", {}) for one in passages for text in one.questions])
    pool = Filters(wikis=JUDGED_WIKIS)
    say("searching edits, and asking the API")
    measured = {
        "edits": with_and_without_context(settings.conninfo, asked, pool),
        "edits_by_leg": by_leg(settings.conninfo, asked, pool),
        "edits_by_words_weight": by_words_weight(settings.conninfo, asked, pool),
        "edits_all_wikis": by_leg(settings.conninfo, asked, Filters()),
        "refusal": {
            **refusal.ask(settings, judged, JUDGED_WIKIS),
            "curve": refusal.curve(
                look(settings.conninfo, asked, pool), judged, look(settings.conninfo, off_topic, pool)
            ),
        },
    }
    say("searching XQuAD")
    measured["xquad"] = _xquad(settings.conninfo, embedder, passages, [vector for _, vector in off_topic])
    say(f"making a store of {documents:,} documents: titles and summaries of {len(real):,} real ones, mixed")
    with temporary_database(settings.conninfo) as conninfo:
        volume.fill(conninfo, embedder, real, documents, say)
        with psycopg.connect(conninfo) as connection:
            size = database_bytes(connection)
        say("searching it, and comparing with exact search")
        questions = [(question.text, vector) for question, vector in (*asked, *off_topic)][:VOLUME_QUESTIONS]
        measured |= asyncio.run(volume.measure(conninfo, real, questions))
    return {
        **measured,
        "documents": documents,
        "database_bytes_per_document": round(size / documents),
        "embedded_in_earnest": min(documents, volume.EARNEST),
        "real_documents": len(real),
        "questions": len(questions),
    }


def _index_recording(settings: Settings, embedder: Embedder, say: Say) -> list[tuple[Document, Vector]]:
    material.put_raw(settings, material.recorded(settings.recording))
    with psycopg.connect(settings.conninfo, autocommit=True) as connection:
        register_vector(connection)
        until_documents(connection, 1, say)
        until_documents(connection, None, say, still_s=STILL_S)
        context.until_known(connection, say)
        connection.execute("ANALYZE")
        table = add_embedding_model(connection, embedder.model_id, embedder.dimensions)
        return list(bulk.dump(connection, table))


def _embedded(embedder: Embedder, questions: Sequence[Question]) -> list[Asked]:
    return list(zip(questions, embedder.embed([one.text for one in questions]), strict=True))


def _xquad(
    conninfo: str, embedder: Embedder, passages: Sequence[Paragraph], vectors: Sequence[Vector]
) -> dict[str, Any]:
    found = [_document(one) for one in passages]
    texts = embedder.embed([one["text"] for one in found])
    made = {one["content_hash"]: vector for one, vector in zip(found, texts, strict=True)}
    questions = [Question(text, "", {one.paragraph_id: 1}) for one in passages for text in one.questions]
    with temporary_database(conninfo) as own, repository.connect(own) as connection:
        table = add_embedding_model(connection, embedder.model_id, embedder.dimensions)
        repository.write(connection, repository.Batch(found, [repository.Made(table, made)]))
        connection.execute("ANALYZE")
        return by_leg(own, list(zip(questions, vectors, strict=True)), Filters())


def _document(paragraph: Paragraph) -> Document:
    text = f"{paragraph.title}. {paragraph.text}"
    return material.document(paragraph.paragraph_id, "enwiki", paragraph.title, paragraph.text, text)
