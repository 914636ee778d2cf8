"""Asking the API as its clients do."""

import json
import re
from typing import Any

import sseclient
from fastapi.testclient import TestClient

from tests.api_builders import insert
from tests.documents import document

QUESTION = {"question": "What is changing about sea snails?"}


def insert_snails(conninfo: str) -> None:
    """Three edits of two pages that answer the question, and one that does not."""
    page = "https://en.wikipedia.org/wiki/Sea_snails"
    diff = "https://en.wikipedia.org/w/index.php?diff="
    insert(
        conninfo,
        document(doc_id="one", title="Sea snails", comment="added species of sea snails", diff_url=f"{diff}1"),
        document(
            doc_id="two",
            title="Sea snails",
            comment="sourced the sea snails",
            page_url=f"{page}_(animals)",
            diff_url="https://evil.example/diff",
        ),
        document(
            doc_id="three", title="Cone snails of the sea", comment="sea snails", section="Venom", diff_url=f"{diff}3"
        ),
        document(doc_id="other", title="Motorway", comment="resurfaced"),
    )


def ask(client: TestClient, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json={**QUESTION, **more})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def stream(client: TestClient, **more: Any) -> list[tuple[str, Any]]:
    """The events of the stream, by type."""
    response = client.post("/v1/ask/stream", json={**QUESTION, **more})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    events = sseclient.SSEClient(iter([response.content])).events()
    return [(event.event, json.loads(event.data)) for event in events]


def text_of(events: list[tuple[str, Any]]) -> str:
    """What a reader has in the end."""
    text = ""
    for kind, data in events:
        text = "" if kind == "restart" else text + (data["text"] if kind == "token" else "")
    return text


def metric(client: TestClient, name: str) -> float:
    """A metric's value now, 0 when it was never counted."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0
