"""The measurement of the pages, in small, of a page that is made for it: ten edits a second, and some skipped."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI
from starlette.responses import HTMLResponse, StreamingResponse

from local import browser
from local.bench import loading, watching
from local.bench.open_pages import Pages, opened
from tests.producing import until
from tests.serving import listening

pytestmark = pytest.mark.integration

FRAME = b"event: edits\ndata: {}\n\n"
PAGE = """<div id="question"><textarea></textarea></div>
<live-feed><ol class="edits"></ol></live-feed>
<script>
  const list = document.querySelector(".edits");
  const show = (name, text) => {
    const line = document.createElement("li");
    line.className = name;
    line.textContent = text;
    list.prepend(line);
    while (list.childElementCount > 20) list.lastElementChild.remove();
  };
  show("edit", "an edit");
  setInterval(() => show("edit", "an edit"), 100);
  setTimeout(() => show("gap", "1,234 edits skipped while you were away"), 1000);
  console.error("a complaint");
</script>"""


@pytest.fixture
def asked() -> list[str]:
    """Questions as they come to `/matching`."""
    return []


@pytest.fixture
def address(asked: list[str]) -> Iterator[str]:
    """Where a server of such pages listens."""
    app = FastAPI()

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE)

    @app.get("/live")
    async def live() -> StreamingResponse:
        async def frames() -> AsyncIterator[bytes]:
            while True:
                yield FRAME
                await asyncio.sleep(0.05)

        return StreamingResponse(frames(), media_type="text/event-stream")

    @app.get("/matching")
    async def match(question: str) -> list[str]:
        asked.append(question)
        return []

    with listening(app) as (_, address):
        yield address


@pytest.fixture
def chromium() -> None:
    """There is a browser."""
    if browser.find() is None:
        pytest.skip("no Chromium: apt-get install chromium")


def test_every_open_page_reads_and_asks_from_when_all_are_open(address: str, asked: list[str]) -> None:
    with opened(Pages(address, ["one", "two"])) as counted:
        assert set(asked) == {"one", "two"}
        before = len(asked)
        until(lambda: len(asked) >= before + 2)
    assert counted["errors"] == {}
    assert len(counted["matching_ms"]) >= 1
    assert counted["bytes"] >= len(FRAME) * 2 * counted["seconds"]
    assert counted["cpu_seconds"] < counted["seconds"]


@pytest.mark.usefixtures("chromium")
def test_a_load_is_timed_each_with_a_browser_that_has_never_been_there(address: str) -> None:
    errors: Counter[str] = Counter()
    seen = loading.measure(address, 2, errors, lambda _: None)
    assert (seen["count"], seen["max"] > 0, seen["first_ms"] > 0) == (2, True, True)
    assert errors["a complaint"] == 3


@pytest.mark.usefixtures("chromium")
def test_what_a_page_shows_and_keeps_is_sampled_while_it_is_open(address: str) -> None:
    lines: list[str] = []
    seen = watching.measure(address, os.getpid(), 0.05, Counter(), lines.append)
    assert len(lines) == seen["samples"] + watching.WARM_UP == watching.FEWEST
    assert 5 < seen["edits_per_second"] < 11
    assert seen["skipped"] == 1234
    assert seen["listeners"]["first"] == seen["listeners"]["last"]
    assert min(seen[name]["last"] for name in ("heap_mb", "renderer_mb", "ui_mb", "nodes")) > 0
    assert seen["renderer_cpu"]["last_third"] < 1
