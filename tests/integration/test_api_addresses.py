"""No address of a person without an account leaves the API: not in answers, nor in a prompt, a search or the feed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from freshet.addresses import MASK
from tests.api_builders import insert
from tests.asking import QUESTION, ask, stream
from tests.documents import document

pytestmark = pytest.mark.integration

ADDRESSES = ("192.0.2.77", "2001:DB8:0:0:0:0:0:77", "2001:db8::77")


@pytest.fixture(autouse=True)
def edits(store: str) -> None:
    """Sea snails edited by addresses, and their edits undone."""
    rows = [
        document(
            title="Sea snails",
            section=f"by {address}",
            comment=f"Undid sea snails of {address} (talk): see User talk:{address}.",
            user_name=address,
            user_kind="ip",
            reverted_user=address,
            revert_kind="undo",
        )
        for address in ADDRESSES
    ]
    talks = [
        document(title=f"User talk:{address}", namespace=3, comment="sea snails", event_time=datetime.now(UTC))
        for address in ADDRESSES
    ]
    insert(store, *rows, *talks)


def assert_none(text: str) -> None:
    for address in ADDRESSES:
        assert address.lower() not in text.lower()


@pytest.mark.parametrize("name", ["stand-in", None])
def test_no_address_is_in_an_answer_or_in_what_the_model_is_given(application: Any, model: Any, name: Any) -> None:
    with TestClient(application(name)) as client:
        whole, streamed = ask(client), stream(client)
    assert whole["citations"]
    assert MASK in json.dumps(whole)
    assert_none(json.dumps(whole))
    assert_none(json.dumps(streamed))
    if name:
        assert "Sea snails" in json.dumps(model.asked)
        assert_none(json.dumps(model.asked))


def test_no_address_is_in_what_a_search_finds(application: Any) -> None:
    with TestClient(application(None)) as client:
        found = client.post("/v1/search", json={"query": "sea snails"})
        texts = [found.text]
        for one in found.json()["results"]:
            texts.append(client.get(f"/v1/documents/{one['doc_id']}").text)
        stats = client.get("/v1/stats").text
        assert f"User talk:{MASK}" in stats
        texts.append(stats)
        texts.append(client.post("/v1/chat/completions", json=chat()).text)
    assert len(texts) >= 4
    assert MASK in texts[0]
    assert_none("".join(texts))


def chat() -> dict[str, Any]:
    return {"model": "freshet", "messages": [{"role": "user", "content": QUESTION["question"]}]}
