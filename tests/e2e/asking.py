"""Many who ask at once and go on asking, whatever they are told."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

TIMEOUT_S = 60
PAUSE_S = 0.5


@dataclass(frozen=True)
class Reply:
    """What one of them was told; `status` is 0 where nobody answered."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """Who wrote the answer, or the status where there is none. Where no edit supports one, nobody writes."""
        if self.status != 200:
            return str(self.status)
        return str(self.body["answerer"]) if self.body["citations"] else "refused"


@dataclass
class Askers:
    """So many ask the questions in turn, each again a moment after there is a reply."""

    url: str
    questions: Sequence[str]
    number: int
    replies: list[Reply] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def latest(self, most: int) -> set[str]:
        """The kinds of the latest replies, refusals aside."""
        return {reply.kind for reply in self.replies[-most:]} - {"refused"}

    async def ask(self) -> None:
        """Ask until told to end."""
        turns, timeout = count(), aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

            async def one() -> None:
                while not self.ended.is_set():
                    reply = await self._reply(session, self.questions[next(turns) % len(self.questions)])
                    self.replies.append(reply)
                    # as people do: what is being tested is not how much the machine bears
                    await asyncio.sleep(PAUSE_S)

            async with asyncio.TaskGroup() as group:
                for _ in range(self.number):
                    group.create_task(one())

    async def _reply(self, session: aiohttp.ClientSession, question: str) -> Reply:
        try:
            async with session.post(self.url, json={"question": question}) as response:
                status, headers, body = response.status, dict(response.headers), await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            status, headers, body = 0, {}, {"error": repr(error)}
        return Reply(status, headers, body)


@contextmanager
def asking(url: str, questions: Sequence[str], number: int) -> Iterator[Askers]:
    """They ask until the block ends."""
    askers = Askers(url, questions, number)
    thread = threading.Thread(target=lambda: asyncio.run(askers.ask()))
    thread.start()
    try:
        yield askers
    finally:
        askers.ended.set()
        thread.join()
