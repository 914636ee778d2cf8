"""The feed over real HTTP from a real broker: as it comes, after a break, and when the API ends."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sseclient
import uvicorn
from confluent_kafka import Producer
from fastapi.testclient import TestClient

from api.app import create_app
from freshet.addresses import MASK
from freshet.contract import topics
from freshet.settings import Settings, load_settings
from tests.api_builders import BagOfWords
from tests.api_serving import NO_POSTGRES, served

pytestmark = pytest.mark.integration


@pytest.fixture
def feed(settings: Settings) -> Iterator[tuple[uvicorn.Server, str]]:
    """The API without its Postgres, which the feed does not need, and the feed's address."""
    app = create_app(settings.model_copy(update={"postgres_dsn": NO_POSTGRES}), BagOfWords())
    with served(app) as (server, port):
        yield server, f"http://127.0.0.1:{port}/v1/feed"


def produce(settings: Settings, wiki: str, *names: str, **more: object) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for name in names:
        value = json.dumps({"event_id": name, "wiki": wiki, "minor": False, **more})
        producer.produce(topics.SILVER, value.encode(), key=name)
    assert producer.flush(30) == 0


def listen(url: str, count: int, **parameters: Any) -> list[sseclient.Event]:
    """The first events of a new connection."""
    headers = {"Last-Event-ID": parameters.pop("after")} if "after" in parameters else {}
    with httpx.stream("GET", url, params=parameters, headers=headers, timeout=60) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = sseclient.SSEClient(response.iter_bytes()).events()
        return [next(events) for _ in range(count)]


def ids(events: list[sseclient.Event]) -> set[str]:
    return {json.loads(event.data)["event_id"] for event in events}


def test_edits_come_once_filtered_and_go_on_after_a_break(settings: Settings, feed: tuple[Any, str]) -> None:
    _, url = feed
    wiki = f"wiki_{uuid.uuid4().hex}"
    produce(settings, wiki, f"{wiki}-1", f"{wiki}-2", f"{wiki}-2")
    produce(settings, "another", f"{wiki}-other")
    first = listen(url, 2, wiki=wiki, recent=10)
    assert ids(first) == {f"{wiki}-1", f"{wiki}-2"}
    produce(settings, wiki, f"{wiki}-3")
    (third,) = listen(url, 1, wiki=wiki, after=first[-1].id)
    assert ids([third]) == {f"{wiki}-3"}


def test_no_address_is_sent(settings: Settings, feed: tuple[Any, str]) -> None:
    _, url = feed
    wiki, address = f"wiki_{uuid.uuid4().hex}", "192.0.2.77"
    whose = {"user_name": address, "user_kind": "ip", "title": f"User talk:{address}", "comment": f"by {address}"}
    produce(settings, wiki, f"{wiki}-1", **whose)
    (event,) = listen(url, 1, wiki=wiki, recent=10)
    assert json.loads(event.data)["user_name"] == MASK
    assert address not in event.data


def test_an_open_stream_ends_cleanly_when_the_api_does(feed: tuple[uvicorn.Server, str]) -> None:
    server, url = feed
    with httpx.stream("GET", url, timeout=30) as response:
        server.should_exit = True
        # httpx raises RemoteProtocolError when a chunked body is cut off instead of ended
        response.read()
    assert response.is_stream_consumed


def test_what_is_no_row_of_silver_is_passed_over(settings: Settings, feed: tuple[Any, str]) -> None:
    _, url = feed
    wiki = f"wiki_{uuid.uuid4().hex}"
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    for value in (b"no JSON", b"[]", b"{}", None):
        producer.produce(topics.SILVER, value, key=wiki)
    assert producer.flush(30) == 0
    produce(settings, wiki, f"{wiki}-good")
    assert ids(listen(url, 1, wiki=wiki, recent=10)) == {f"{wiki}-good"}


@pytest.mark.parametrize("parameters", [{"user_kind": "nobody"}, {"recent": -1}, {"minor": "perhaps"}])
def test_a_wrong_filter_is_a_problem_document(feed: tuple[Any, str], parameters: dict[str, Any]) -> None:
    answer = httpx.get(feed[1], params=parameters, timeout=10)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_broker_a_listener_is_told_so(tmp_path: Path) -> None:
    settings = load_settings(kafka_bootstrap_servers="127.0.0.1:1", postgres_dsn=NO_POSTGRES, state_dir=tmp_path)
    with TestClient(create_app(settings, BagOfWords())) as client:
        answer = client.get("/v1/feed")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
