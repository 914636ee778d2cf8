"""The pages' own server, while the API is away."""

from collections.abc import Iterator
from datetime import datetime

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from freshet.settings import load_settings
from local.ports import find_free
from ui.app import create_app
from ui.beginning import questions
from ui.plots import PLOTS, frame


@pytest.fixture(scope="module")
def pages() -> Iterator[TestClient]:
    (dead,) = find_free(1)
    with TestClient(create_app(load_settings(ui_api_url=f"http://127.0.0.1:{dead}"))) as client:
        yield client


def test_the_page_is_served_and_may_load_nothing_from_elsewhere(pages: TestClient) -> None:
    reply = pages.get("/")
    assert reply.status_code == 200
    assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
    assert "connect-src 'self'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert pages.get("/readyz").status_code == 200
    assert "freshet_ui_pages" in pages.get("/metrics").text


def test_a_page_of_elsewhere_is_answered_nothing(pages: TestClient) -> None:
    ask = {"data": ["What is changing?", {}], "fn_index": 0, "session_hash": "abc"}
    evil = {"Origin": "https://evil.example"}
    assert pages.post("/gradio_api/queue/join", json=ask, headers=evil).status_code == 403
    assert pages.post("/gradio_api/queue/join", json=ask, headers={"Origin": "http://testserver"}).status_code == 200
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert pages.get("/matching", params={"question": "bridges"}, headers=embedded).status_code == 403
    assert pages.get("/", headers={**embedded, "Sec-Fetch-Mode": "navigate"}).status_code == 200
    renamed = pages.get("/", headers={"Host": "evil.example:18086"})
    assert renamed.status_code == 421
    assert renamed.headers["X-Frame-Options"] == "DENY"


def test_every_script_that_is_announced_is_there(pages: TestClient) -> None:
    links = [part.split(">")[0].strip(" <") for part in pages.get("/").headers["Link"].split(",")]
    assert links
    for link in [*links, "/freshet/page.css", "/freshet/feed.css", "/freshet/icon.svg"]:
        assert pages.get(link).status_code == 200, link


def test_a_trace_that_cannot_be_had_says_why(pages: TestClient) -> None:
    reply = pages.get("/trace/some-id")
    assert reply.status_code == 503
    assert "The API does not answer" in reply.text
    assert pages.get("/matching", params={"question": "bridges"}).json() == []
    assert pages.get("/matching").status_code == 422


def test_a_file_is_not_taken(pages: TestClient) -> None:
    reply = pages.post("/gradio_api/upload", files={"files": ("big.txt", b"x" * 10_000)})
    assert reply.status_code >= 400


def test_examples_are_english_first_and_short() -> None:
    pages = [
        {"wiki": "dewiki", "title": "Mond"},
        {"wiki": "enwiki", "title": "Moon"},
        {"wiki": "enwiki", "title": "L" * 61},
    ]
    assert questions(pages) == ["What is changing about Moon?", "What is changing about Mond?"]


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.title)
def test_a_plot_has_all_its_lines_before_there_is_anything_and_leaves_out_what_is_not_known(plot) -> None:
    empty = frame(plot, [])
    assert list(empty["line"]) == list(plot.lines.values())
    assert empty["value"].isna().all()
    name = next(iter(plot.lines))
    points = [{"at": "2026-11-27T02:00:00Z", name: 3}, {"at": "2026-11-27T02:00:10.5Z", name: None}]
    (known,) = frame(plot, points).dropna().to_dict("records")
    assert known["value"] == 3.0
    assert known["at"] == pd.Timestamp(datetime.fromisoformat("2026-11-27T02:00:00Z"))
