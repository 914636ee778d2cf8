"""What every open page is shown as it happens. However many are open, the API's feed is read once, and each frame is
written once."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from freshet.telemetry import logs, metrics
from ui.client import ApiAwayError, Client, RefusedError
from ui.rows import row

TICK_S: Final = 0.25
"""Edits go out so often: a page that is drawn four times a second looks alive."""

LOOK_S: Final = 1.0
KEPT: Final = 200
"""The newest edits, as many as a page keeps: what it missed beyond them it is told by their numbers."""

WAITING: Final = 120
"""Frames that wait for one slow page, some 30 s; beyond that it misses some and is told by their numbers."""

RETRY_S: Final = (0.5, 1.0, 2.0, 3.0)

_SHOWN: Final = ("verdict", "newest_searchable_at", "sources")


class Live:
    """The newest edits, the state of the pipeline, and the pages that follow them.

    Edits are numbered from 1 on within `run`. A number that is left out is an edit that was skipped.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._run = uuid4().hex
        self._edits: deque[tuple[int, Mapping[str, Any]]] = deque(maxlen=KEPT)
        self._number = 0
        self._sent = 0
        self._state: dict[str, Any] = {"api": "unknown", "feed": "unknown"}
        self._pages: set[asyncio.Queue[bytes]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to read; `stop` ends it."""
        self._tasks = [asyncio.create_task(work()) for work in (self._read, self._look, self._send)]

    async def stop(self) -> None:
        """End all reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def follow(self, after: str) -> AsyncGenerator[bytes]:
        """Frames for one page: the newest edits, or those after the one with the id `after`, and all that come."""
        page: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        run, _, number = after.partition(":")
        known = int(number) if run == self._run and number.isascii() and number.isdigit() else -1
        fitting = [edit for edit in self._edits if known < edit[0] <= self._sent]
        self._pages.add(page)
        metrics.UI_PAGES.set(len(self._pages))
        try:
            yield self._pulse()
            yield self._frame(fitting)
            while True:
                yield await page.get()
        finally:
            self._pages.discard(page)
            metrics.UI_PAGES.set(len(self._pages))

    async def _read(self) -> None:
        last_event_id, failures = "", 0
        while True:
            try:
                async with aclosing(self._client.feed(KEPT, last_event_id)) as events:
                    async for event in events:
                        self._state["feed"], failures = "ok", 0
                        self._take(event.event, event.json())
                        last_event_id = event.id or last_event_id
            except (ApiAwayError, RefusedError, ValueError) as error:
                if not failures:
                    logs.get().warning("the feed is away", error=str(error))
            self._state["feed"] = "away"
            metrics.UI_FEED_RECONNECTS.inc()
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1

    def _take(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "gap":
            self._number += int(data["skipped"])
        elif kind == "edit":
            self._number += 1
            self._edits.append((self._number, row(data)))

    async def _look(self) -> None:
        while True:
            began = asyncio.get_running_loop().time()
            try:
                seen = await self._client.get("/v1/pipeline", since=datetime.now(UTC).isoformat())
            except (ApiAwayError, RefusedError) as error:
                if self._state["api"] != "away":
                    self._state |= {"api": "away", "since": datetime.now(UTC).isoformat(), "detail": str(error)}
            else:
                shown = {name: seen[name] for name in _SHOWN}
                self._state = {"feed": self._state["feed"], "api": "ok", **shown}
            self._give(self._pulse())
            await asyncio.sleep(max(0.0, began + LOOK_S - asyncio.get_running_loop().time()))

    async def _send(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            new = [edit for edit in self._edits if edit[0] > self._sent]
            if new:
                self._sent = self._number
                self._give(self._frame(new))

    def _give(self, frame: bytes) -> None:
        for page in self._pages:
            with suppress(asyncio.QueueFull):
                page.put_nowait(frame)

    def _pulse(self) -> bytes:
        return _event("pulse", {**self._state, "now": datetime.now(UTC).isoformat()})

    def _frame(self, edits: Sequence[tuple[int, Mapping[str, Any]]]) -> bytes:
        numbered = [{"n": number, **edit} for number, edit in edits]
        return _event("edits", {"run": self._run, "edits": numbered}, f"{self._run}:{self._sent}")


def _event(name: str, data: Mapping[str, Any], event_id: str | None = None) -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()
