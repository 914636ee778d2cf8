"""Edits that want the answer to be theirs, and a model that does whatever they say: the answer stays ours."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from freshet.contract.pages import Description, Page
from freshet.settings import load_settings
from freshet.store import repository
from freshet.store.migrate import migrate
from tests.api_builders import BagOfWords, insert
from tests.asking import stream
from tests.conftest import empty_database
from tests.described import describe, embed_pages
from tests.documents import document
from tests.hostile import HOSTILE, assert_harmless, edits_of

pytestmark = pytest.mark.integration

NAMES = {name: f"Zeppelin{number}" for number, name in enumerate(HOSTILE)}
"""A word by which each hostile page is found."""


def stored(name: str) -> str:
    """As Postgres takes it."""
    return HOSTILE[name].replace("\x00", "")


def said_of(name: str) -> Description:
    """What is said of its pages, by somebody with the same intentions."""
    return Description("javascript:alert(1)", stored(name), f"{NAMES[name]}: {stored(name)}", "en")


def pages() -> Iterator[dict[str, Any]]:
    """Two edits of each hostile page: one with the text everywhere, one of the page beside it."""
    for name in HOSTILE:
        text = stored(name)
        yield document(
            title=f"{NAMES[name]} {text}"[:200],
            section=text,
            comment=text,
            text=f"{NAMES[name]} {text}"[:4000],
            page_url="https://evil.example/wiki/Page",
            diff_url="https://en.wikipedia.org/w/index.php?diff=1&oldid=2",
        )
        yield document(
            title=f"{NAMES[name]} harmless",
            comment="added a source",
            page_url="https://en.wikipedia.org/wiki/Zeppelin_(airship)",
            diff_url="javascript:alert(1)",
        )


@pytest.fixture(scope="module")
def hostile_store(postgres: str) -> Iterator[str]:
    with empty_database(postgres) as conninfo:
        migrate(conninfo)
        documents = list(pages())
        insert(conninfo, *documents)
        with repository.connect(conninfo) as connection:
            for name, one in zip((name for name in HOSTILE for _ in range(2)), documents, strict=True):
                describe(connection, {Page(one["wiki"], one["title"]): said_of(name)}, origin=stored(name))
            embed_pages(connection, BagOfWords())
        yield conninfo


@pytest.fixture(scope="module")
def obeying(hostile_store: str, model_address: tuple[Any, str]) -> Iterator[TestClient]:
    """The API with a model that does as it is told, by anybody."""
    server = {"openai_base_url": model_address[1], "answer_model": "fault-obedient"}
    app = create_app(load_settings(postgres_dsn=SecretStr(hostile_store), **server), BagOfWords())
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def extractive(hostile_store: str) -> Iterator[TestClient]:
    app = create_app(load_settings(postgres_dsn=SecretStr(hostile_store)), BagOfWords())
    with TestClient(app) as client:
        yield client


hostile = pytest.mark.parametrize("name", HOSTILE)


def asked(name: str) -> dict[str, Any]:
    return {"question": f"What is changing about {NAMES[name]}?"}


def check(body: dict[str, Any]) -> None:
    """An answer in full: nothing but words, and links to Wikimedia."""
    assert_harmless(body["answer"], {citation["n"] for citation in body["citations"]})
    for citation in body["citations"]:
        for link in (citation["page_url"], citation["diff_url"]):
            assert link is None or link.startswith("https://en.wikipedia.org/")
        assert citation["page"]["item_url"] is citation["page"]["licence"] is None


def test_there_are_at_least_thirty_of_them():
    assert len(set(HOSTILE.values())) >= 30


@hostile
def test_the_edits_in_the_prompt_stay_edits(obeying, model, name):
    assert obeying.post("/v1/ask", json=asked(name)).status_code == 200
    edits = edits_of(model.asked["messages"][-1]["content"])
    assert [edit["n"] for edit in edits] == list(range(1, len(edits) + 1))
    assert any(edit["title"].startswith(NAMES[name]) for edit in edits)
    assert all(edit["page"] for edit in edits)
    assert [message["role"] for message in model.asked["messages"]] == ["system", "user"]


@hostile
def test_an_obedient_model_s_answer_is_words_with_our_links(obeying, name):
    body = obeying.post("/v1/ask", json=asked(name)).json()
    assert body["citations"] or body["outcome"] == "refused"
    check(body)


@hostile
def test_what_is_streamed_is_harmless_also_where_it_is_taken_back(obeying, name):
    events = stream(obeying, **asked(name))
    numbers = {source["n"] for source in events[0][1]}
    tokens = "".join(data["text"] if kind == "token" else "\n\n" for kind, data in events[1:-1])
    assert_harmless(tokens, numbers)
    check(events[-1][1])


@hostile
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_chat_s_links_lead_to_wikimedia_alone(obeying, name, streamed):
    body = {"model": "freshet", "messages": [{"role": "user", "content": asked(name)["question"]}], "stream": streamed}
    response = obeying.post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    if streamed:
        chunks = [json.loads(line[6:]) for line in response.text.split("\n\n") if line.startswith("data: {")]
        content = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
        grounds = chunks[-1]["freshet"]
    else:
        content, grounds = response.json()["choices"][0]["message"]["content"], response.json()["freshet"]
    assert_harmless(content, {citation["n"] for citation in grounds["citations"]} if not streamed else {1, 2, 3, 4, 5})


@hostile
def test_an_extractive_answer_quotes_them_and_no_more(extractive, name):
    body = extractive.post("/v1/ask", json=asked(name)).json()
    assert body["outcome"] == "grounded"
    check(body)
    ours = [one["page"] for one in body["citations"] if one["title"].startswith(f"{NAMES[name]} ")]
    assert {(one["label"], one["origin"]) for one in ours} == {(stored(name), stored(name))}
