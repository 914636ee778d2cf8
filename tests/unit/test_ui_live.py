"""What open pages are shown as it happens: every edit once, in order, and what was skipped by its number."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from httpx_sse import ServerSentEvent

from ui import live
from ui.client import ApiAwayError
from ui.live import Live
from ui.rows import row

PIPELINE = {
    "verdict": {"state": "fresh", "since": None, "because": None, "action": None},
    "newest_searchable_at": None, "threshold_seconds": 60.0, "sources": ["simulated"], "window": {},
}  # fmt: skip


def edit(number: int, **given: Any) -> ServerSentEvent:
    data = {"event_id": f"e{number}", "title": f"Page {number}", "user_name": "Ada", "user_kind": "registered", **given}
    return ServerSentEvent(event="edit", data=json.dumps(data), id=f"0-{number}")


class Api:
    """A feed that the test fills, and a pipeline that can be away."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[ServerSentEvent | Exception] = asyncio.Queue()
        self.away = False
        self.resumed_at: list[str] = []

    async def feed(self, recent: int, last_event_id: str) -> AsyncGenerator[ServerSentEvent]:
        self.resumed_at.append(last_event_id)
        while True:
            event = await self.events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        if self.away:
            raise ApiAwayError("nothing listens at its address")
        return PIPELINE


class Page:
    """Reads frames until it has what the test waits for."""

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        self.frames = frames
        self.edits: list[dict[str, Any]] = []
        self.pulses: list[dict[str, Any]] = []
        self.last_id = ""

    async def until(self, done: Callable[["Page"], bool]) -> None:
        async with asyncio.timeout(10):
            while not done(self):
                self.read((await anext(self.frames)).decode())

    def read(self, frame: str) -> None:
        fields = dict(line.split(": ", 1) for line in frame.strip().split("\n"))
        self.last_id = fields.get("id", self.last_id)
        data = json.loads(fields["data"])
        if fields["event"] == "edits":
            self.edits += data["edits"]
        else:
            self.pulses.append(data)


def played(play: Callable[[Live, Api], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test's play beside a hub that hurries."""
    monkeypatch.setattr(live, "TICK_S", 0.01)
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    monkeypatch.setattr(live, "RETRY_S", (0.01,))

    async def run() -> None:
        api = Api()
        hub = Live(api)  # type: ignore[arg-type]
        hub.start()
        try:
            await play(hub, api)
        finally:
            await hub.stop()

    asyncio.run(run())


def numbers(page: Page) -> list[int]:
    return [one["n"] for one in page.edits]


def test_every_page_gets_every_edit_once_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(hub: Live, api: Api) -> None:
        pages = [Page(hub.follow("")) for _ in range(3)]
        for number in range(1, 31):
            api.events.put_nowait(edit(number))
        for page in pages:
            await page.until(lambda page: len(page.edits) == 30)
            assert numbers(page) == list(range(1, 31))
            assert page.edits[0]["title"] == "Page 1"

    played(play, monkeypatch)


def test_what_the_api_skipped_leaves_its_numbers_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(hub: Live, api: Api) -> None:
        page = Page(hub.follow(""))
        for event in (edit(1), ServerSentEvent(event="gap", data='{"skipped": 1204}'), edit(2)):
            api.events.put_nowait(event)
        await page.until(lambda page: len(page.edits) == 2)
        assert numbers(page) == [1, 1206]

    played(play, monkeypatch)


def test_a_page_that_comes_back_gets_what_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(hub: Live, api: Api) -> None:
        first = Page(hub.follow(""))
        api.events.put_nowait(edit(1))
        await first.until(lambda page: len(page.edits) == 1)
        await first.frames.aclose()
        witness = Page(hub.follow(""))
        for number in (2, 3):
            api.events.put_nowait(edit(number))
        await witness.until(lambda page: len(page.edits) == 3)

        back = Page(hub.follow(first.last_id))
        await back.until(lambda page: len(page.edits) == 2)
        assert numbers(back) == [2, 3]
        stranger = Page(hub.follow("another-run:1"))
        await stranger.until(lambda page: len(page.edits) == 3)

    played(play, monkeypatch)


def test_a_page_that_does_not_read_holds_a_bounded_number_of_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAITING", 3)

    async def play(hub: Live, api: Api) -> None:
        slow, quick = Page(hub.follow("")), Page(hub.follow(""))
        await slow.until(lambda page: bool(page.pulses))
        for number in range(1, 21):
            api.events.put_nowait(edit(number))
            await quick.until(lambda page, number=number: len(page.edits) == number)
        assert max(page.qsize() for page in hub._pages) <= 3

    played(play, monkeypatch)


def test_a_feed_that_breaks_off_is_taken_up_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(hub: Live, api: Api) -> None:
        page = Page(hub.follow(""))
        for event in (edit(1), ApiAwayError("gone"), edit(2)):
            api.events.put_nowait(event)
        await page.until(lambda page: len(page.edits) == 2)
        assert api.resumed_at == ["", "0-1"]
        assert numbers(page) == [1, 2]

    played(play, monkeypatch)


def test_an_api_that_is_away_is_told_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(hub: Live, api: Api) -> None:
        page = Page(hub.follow(""))
        await page.until(lambda page: page.pulses and page.pulses[-1]["api"] == "ok")
        assert page.pulses[-1]["sources"] == ["simulated"]
        api.away = True
        await page.until(lambda page: len([pulse for pulse in page.pulses if pulse["api"] == "away"]) == 3)
        assert len({pulse["since"] for pulse in page.pulses if pulse["api"] == "away"}) == 1
        api.away = False
        await page.until(lambda page: page.pulses[-1]["api"] == "ok")
        assert "since" not in page.pulses[-1]

    played(play, monkeypatch)


def test_a_row_shows_no_address_of_an_editor_and_no_link_but_wikimedias() -> None:
    shown = row(
        {
            "event_id": "e", "title": "T" * 2_000, "comment": None, "section": None, "user_name": "192.0.2.7",
            "user_kind": "ip", "page_url": "javascript:alert(1)", "diff_url": "https://en.wikipedia.org/w/index.php?diff=1",
        }
    )  # fmt: skip
    assert shown["user"] == ""
    assert len(shown["title"]) == 501
    assert (shown["page_url"], shown["diff_url"]) == (None, "https://en.wikipedia.org/w/index.php?diff=1")
