"""Hybrid search and answers against a real Postgres."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.errors import UndefinedTable
from pydantic import SecretStr

from api import retrieval
from api.app import create_app
from freshet.settings import load_settings
from freshet.store import freshness
from freshet.store.migrate import migrate
from tests.api_builders import BagOfWords, insert
from tests.documents import NOON, document

pytestmark = pytest.mark.integration

Client = Callable[..., TestClient]


@pytest.fixture
def store(database: str) -> str:
    migrate(database)
    return database


@contextmanager
def serving(conninfo: str, embedder: Any = None) -> Iterator[TestClient]:
    app = create_app(load_settings(postgres_dsn=SecretStr(conninfo)), embedder or BagOfWords())
    with TestClient(app) as client:
        yield client


def search(conninfo: str, query: str, **filters: Any) -> list[str]:
    return [result["doc_id"] for result in respond(conninfo, query, **filters)["results"]]


def respond(conninfo: str, query: str, limit: int = 10, collapse: bool = False, **filters: Any) -> dict[str, Any]:
    asked = {"query": query, "limit": limit, "collapse": collapse, "filters": filters}
    with serving(conninfo) as client:
        response = client.post("/v1/search", json=asked)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_a_document_is_found_by_meaning_alone(store):
    insert(store, document(doc_id="near", title="Conus"), document(title="Motorway"), like={"near": "sea snails"})
    assert search(store, "sea snails")[0] == "near"


def test_a_document_is_found_by_words_while_its_embedding_is_pending(store):
    later = NOON + timedelta(minutes=1)
    insert(
        store,
        document(doc_id="pending", title="Sea snails", event_time=later),
        document(title="Roads"),
        like={"pending": ""},
    )
    first = respond(store, "sea snail")["results"][0]
    assert first["doc_id"] == "pending"
    assert first["scores"] == {"vector": None, "page": None, "words": 1}


def test_what_both_legs_find_goes_before_what_one_finds(store):
    insert(
        store,
        document(doc_id="meaning", title="Conidae"),
        document(doc_id="both", title="Sea snails"),
        document(doc_id="words", title="Sea snails in a list of many other things"),
        like={"meaning": "sea snails", "words": "motorway"},
    )
    assert search(store, "sea snails")[0] == "both"


def test_words_of_every_language_are_matched(store):
    insert(store, document(doc_id="pt", title="Guerra das Malvinas", language="pt", wiki="ptwiki"))
    insert(store, document(doc_id="ja", title="地震", language="ja", wiki="jawiki"))
    assert search(store, "guerra")[0] == "pt"
    assert search(store, "地震")[0] == "ja"


def test_phrases_hold_together_and_unwanted_words_keep_out(store):
    insert(
        store,
        document(doc_id="harbor", title="Pearl Harbor"),
        document(doc_id="apart", title="Harbor of the pearl"),
        document(doc_id="film", title="Pearl Harbor film"),
        like={"harbor": "", "apart": "", "film": ""},
    )
    assert search(store, '"Pearl Harbor" -film') == ["harbor"]


@pytest.mark.parametrize(
    "query",
    [
        "'",
        '"',
        '"""',
        "a:*b & | !",
        "((",
        "\\",
        "-",
        "--",
        "or",
        "or or or",
        "<->",
        "' OR 1=1 --",
        "%s %(x)s {}",
        "é\u0301🙂",
    ],
)
def test_any_text_can_be_searched(store, query):
    insert(store, document())
    respond(store, query)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"wikis": ["dewiki"]}, {"german"}),
        ({"languages": ["de", "fr"]}, {"german"}),
        ({"namespaces": [4]}, {"project"}),
        ({"user_kinds": ["ip", "temporary"]}, {"address"}),
        ({"minor": True}, {"early"}),
        ({"minor": False}, {"late"}),
        ({"pages": [{"wiki": "enwiki", "title": "Bridge"}], "namespaces": [4]}, {"project"}),
        ({"pages": [{"wiki": "dewiki", "title": "Bridge"}, {"wiki": "enwiki", "title": "Tunnel"}]}, {"german"}),
        ({"since": (NOON + timedelta(hours=1)).isoformat()}, {"late"}),
        ({"until": NOON.isoformat()}, {"early"}),
        ({"wikis": ["dewiki"], "user_kinds": ["ip"]}, set()),
        ({}, {"german", "project", "address", "late", "early"}),
    ],
)
def test_filters_narrow_both_legs(store, filters, expected):
    insert(
        store,
        document(doc_id="german", title="Bridge", wiki="dewiki", language="de"),
        document(doc_id="project", title="Bridge", namespace=4),
        document(doc_id="address", title="Bridge", user_kind="ip"),
        document(doc_id="late", title="Bridge", event_time=NOON + timedelta(hours=1), minor=False),
        document(doc_id="early", title="Bridge", event_time=NOON - timedelta(hours=1), minor=True),
    )
    assert set(search(store, "bridge", **filters)) == expected


def test_a_selective_filter_still_fills_the_page(store):
    insert(
        store,
        *(document(title=f"Bridge {number}") for number in range(400)),
        *(document(title=f"Brücke {number}", wiki="dewiki", doc_id=f"de-{number}") for number in range(10)),
    )
    assert len(search(store, "motorway tunnel", wikis=["dewiki"])) == 10


def test_equally_good_documents_come_newest_first(store):
    times = {"old": 0, "new": 2, "middle": 1}
    rows = [document(doc_id=name, title="Bridge", event_time=NOON + timedelta(hours=at)) for name, at in times.items()]
    insert(store, *rows)
    assert search(store, "bridge") == ["new", "middle", "old"]


def test_the_limit_holds_and_an_empty_store_answers(store):
    assert search(store, "bridge") == []
    insert(store, *(document(title="Bridge") for _ in range(7)))
    assert len(respond(store, "bridge", limit=3)["results"]) == 3


def test_a_store_whose_model_cannot_be_loaded_is_searched_by_words_and_says_so(store):
    class Other(BagOfWords):
        model_id = "another"

    insert(store, document(doc_id="found", title="Bridge"))
    with serving(store, Other()) as client:
        body = client.post("/v1/search", json={"query": "bridge"}).json()
        assert client.get("/readyz").json()["dependencies"]["embedding"].endswith("words only")
    assert [result["doc_id"] for result in body["results"]] == ["found"]
    assert "active model is bag-of-words: unknown model" in body["degraded"]["vector"]


def test_a_search_whose_vectors_are_dropped_under_it_begins_anew(store, monkeypatch):
    insert(store, document(doc_id="found", title="Bridge"))
    search_store, tries = retrieval.store.search, []

    async def dropped_under_it(*given: Any) -> Any:
        tries.append(given)
        if len(tries) == 1:
            raise UndefinedTable
        return await search_store(*given)

    monkeypatch.setattr(retrieval.store, "search", dropped_under_it)
    assert search(store, "bridge") == ["found"]
    assert len(tries) == 2


def test_a_question_is_answered_with_citations_from_the_store(store):
    insert(
        store,
        document(
            doc_id="one",
            title="Sea snails",
            comment="added species",
            diff_url="https://en.wikipedia.org/w/index.php?diff=7",
        ),
    )
    with serving(store) as client:
        body = client.post("/v1/ask", json={"question": "What is changing about sea snails?"}).json()
    assert body["outcome"] == "grounded"
    assert '"Sea snails" (enwiki)' in body["answer"]
    (cited,) = body["citations"]
    assert (cited["n"], cited["doc_id"], cited["diff_url"]) == (1, "one", "https://en.wikipedia.org/w/index.php?diff=7")
    assert cited["quote"] == "Sea snails\nadded species"
    assert cited["age_seconds"] == pytest.approx((datetime.now(UTC) - NOON).total_seconds(), abs=60)
    assert body["sources"] == ["recording"]
    assert body["answerer"] == "extractive"


def test_a_question_about_nothing_in_the_store_is_refused_and_counted(store):
    insert(store, document(title="Sea snails"))
    with serving(store) as client:
        body = client.post("/v1/ask", json={"question": "chess grandmasters"}).json()
        counted = client.get("/metrics").text
    assert (body["outcome"], body["citations"]) == ("refused", [])
    assert "Searched 1 edit" in body["answer"]
    assert 'freshet_api_answers_total{answerer="extractive",outcome="refused"}' in counted


def test_freshness_measures_what_became_searchable_in_the_window(store):
    insert(store, document())
    with serving(store) as client:
        long_ago = client.get("/v1/freshness").json()
        assert client.get("/v1/freshness", params={"window_minutes": 0}).status_code == 422
    assert long_ago["documents"] == 1
    assert long_ago["source"] == ["recording"]
    assert long_ago["newest_searchable_at"] is not None
    assert long_ago["received_to_searchable_ms"].keys() == {"p50", "p95", "p99", "max", "count"}


def test_freshness_gives_percentiles_in_milliseconds_of_what_came_live(store):
    now = datetime.now(UTC)
    insert(
        store,
        *(
            document(received_at=now - timedelta(milliseconds=ms), searchable_at=now, event_time=now)
            for ms in (100, 200, 300)
        ),
        document(received_at=now - timedelta(hours=1), searchable_at=now, event_time=now, source="backfill"),
    )
    with serving(store) as client:
        delays = client.get("/v1/freshness").json()["received_to_searchable_ms"]
    with psycopg.connect(store) as connection:
        hour = freshness.percentiles(connection, now - timedelta(hours=2), now)["received_to_searchable"]
    assert hour == {"p50": 200, "p95": 290, "p99": 298, "max": 300, "count": 3}
    assert (delays["p50"], delays["max"], delays["count"]) == (200, 300, 3)


def test_words_of_time_in_a_question_narrow_it_unless_a_filter_says_otherwise(store):
    now = datetime.now(UTC)
    insert(
        store,
        document(doc_id="new", title="Sea snails", event_time=now - timedelta(minutes=5)),
        document(doc_id="old", title="Sea snails", event_time=now - timedelta(hours=5)),
    )
    question = {"question": "What is changing about sea snails in the last hour?"}
    with serving(store) as client:
        narrowed = client.post("/v1/ask", json=question).json()
        off = client.post("/v1/ask", json={**question, "time_words": False}).json()
        since = (now - timedelta(days=1)).isoformat()
        overridden = client.post("/v1/ask", json={**question, "filters": {"since": since}}).json()
    assert [citation["doc_id"] for citation in narrowed["citations"]] == ["new"]
    assert narrowed["window"]["words"] == "in the last hour"
    assert 'Your question narrowed it: "in the last hour".' in narrowed["answer"]
    assert {citation["doc_id"] for citation in overridden["citations"]} == {"new", "old"}
    assert overridden["window"] is off["window"] is None
    assert "Searched 2 edits" in off["answer"]
