"""An answer as it comes: from the API's events to what a reader is shown, whatever goes wrong on the way."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from ui.client import ApiAwayError, Client, RefusedError
from ui.filters import Filters
from ui.words import literal, marked

LIMIT: Final = 6
REMEMBERED: Final = 6
"""Messages of the conversation that the API counts."""

MOST_SAID: Final = 2_000
PATIENCE_S: Final = 120.0
"""So long an API that is away, or asks to come again, is tried again."""

AWAY_WAIT_S: Final = 2
SLOW_S: Final = 3.0
TICK_S: Final = 1.0


@dataclass(frozen=True)
class Asked:
    """A question, what was said before it, and what narrows it."""

    question: str
    said: Sequence[Mapping[str, str]] = ()
    filters: Filters = field(default_factory=Filters)
    time_words: bool = True

    def body(self) -> dict[str, Any]:
        """As `POST /v1/ask` takes it; the time of the filters is counted from now."""
        return {
            "question": self.question,
            "conversation": list(self.said),
            "limit": LIMIT,
            "filters": self.filters.body(datetime.now(UTC)),
            "time_words": self.time_words,
        }


@dataclass(frozen=True)
class Shown:
    """What stands in the chat: the text so far, and beneath it what is being done. `answer` is there at the end,
    `failed` when there will be none."""

    text: str = ""
    doing: str = "Searching the edits…"
    answer: Mapping[str, Any] | None = None
    failed: bool = False

    def markdown(self, turn: int) -> str:
        """The message of this turn."""
        if self.answer is not None:
            return marked(self.answer["answer"], turn)
        doing = f"*{literal(self.doing)}*" if self.doing else ""
        return "\n\n".join(filter(None, [marked(self.text, turn), doing]))

    def after(self, name: str, data: Any) -> "Shown":
        """What is shown once an event of the answer has come."""
        match name:
            case "sources":
                edits = f"{len(data)} edit{'' if len(data) == 1 else 's'}"
                return replace(
                    self, doing=f"Found {edits} to answer from…" if data else "Nothing near enough was found…"
                )
            case "token":
                return replace(self, text=self.text + str(data["text"]), doing="")
            case "restart":
                return replace(self, text="", doing=f"Written anew, because {data['reason']}…")
            case "done":
                return replace(self, answer=data)
            case "error":
                return replace(self, text="", doing=f"The answer broke off: {data['detail']} Try again.", failed=True)
            case _:
                return self


def said(turns: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The last messages, as the API takes a conversation."""
    messages = [
        message
        for turn in turns
        for message in (("user", turn["question"]), ("assistant", turn["answer"]["answer"]))
    ]  # fmt: skip
    return [{"role": role, "content": text[:MOST_SAID]} for role, text in messages[-REMEMBERED:]]


async def answer(client: Client, asked: Asked) -> AsyncGenerator[Shown]:
    """What is shown, from the question to the answer or the last failure. Closing it ends the work on it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while True:
        try:
            async with aclosing(_once(client, asked)) as steps:
                async for shown in steps:
                    yield shown
            return
        except ApiAwayError as error:
            reason, wait_s = f"The API does not answer: {error}.", AWAY_WAIT_S
        except RefusedError as error:
            if not error.passes:
                yield Shown(doing=f"The question was refused: {error}", failed=True)
                return
            reason = "Too many questions at once." if error.status == 429 else str(error)
            wait_s = error.retry_after_s or AWAY_WAIT_S
        if loop.time() + wait_s > deadline:
            yield Shown(doing=f"{reason} Ask again in {wait_s} s or later.", failed=True)
            return
        for left in range(wait_s, 0, -1):
            yield Shown(doing=f"{reason} Trying again in {left} s…")
            await asyncio.sleep(1)


async def _once(client: Client, asked: Asked) -> AsyncGenerator[Shown]:
    shown = Shown()
    yield shown
    loop = asyncio.get_running_loop()
    last = loop.time()
    async with aclosing(client.ask(asked.body())) as events:
        async for event in _with_ticks(events):
            if event is None:
                silent_s = math.floor(loop.time() - last)
                if silent_s >= SLOW_S:
                    yield replace(shown, doing=f"{shown.doing or 'Still writing…'} {silent_s} s without a word")
                continue
            last = loop.time()
            shown = shown.after(*event)
            yield shown
            if shown.answer is not None or shown.failed:
                return
    raise ApiAwayError("the answer broke off")


async def _with_ticks(events: AsyncIterator[tuple[str, Any]]) -> AsyncGenerator[tuple[str, Any] | None]:
    """The events, and None for every second without one."""
    while True:
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({coming}, timeout=TICK_S))[0]:
                yield None
        finally:
            coming.cancel()
        event = coming.result()
        if event is None:
            return
        yield event
