"""`python -m local.bench.open_pages`: what open pages cost their servers, without anything being drawn.

Each page follows `/live` and reads it all, and asks `/matching` every 5 s with a question of its own, over as many
connections as a browser opens to a host. So many browsers that draw would be a measurement of Chromium, on the cores of
what is measured.

A process of its own. Reads Pages as JSON from a line of standard input, says READY once every page has been shown
something and has been answered, counts from then on until standard input ends, and prints Counted as JSON.
"""

import asyncio
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from freshet.errors import PermanentError
from freshet.settings import CHECKOUT

READY: Final = "ready"
READY_S: Final = 60
MATCHING_S: Final = 5.0
AGAIN_S: Final = 2.0
"""After so long a page opens a connection anew that it lost."""

ANSWER_S: Final = 4
CONNECTIONS: Final = 6
"""Most that a browser opens to one host. What it asks beyond that waits in the browser."""


@dataclass(frozen=True)
class Pages:
    """A page for each question."""

    url: str
    questions: Sequence[str]


@dataclass
class Counted:
    """Bytes that the pages read, milliseconds of each good answer of `/matching`, and what went wrong, by its kind."""

    bytes: int = 0
    matching_ms: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    def note(self, kind: str) -> None:
        """Something went wrong."""
        self.errors[kind] = self.errors.get(kind, 0) + 1

    def begin(self) -> None:
        """Forget what was before."""
        self.bytes, self.matching_ms, self.errors = 0, [], {}


@contextmanager
def opened(pages: Pages) -> Iterator[dict[str, Any]]:
    """The pages are open until the block ends; afterwards what they counted is in what was given, with `seconds` and
    `cpu_seconds`."""
    child = subprocess.Popen(
        [sys.executable, "-m", "local.bench.open_pages"], cwd=CHECKOUT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin  # noqa: S101  (they are pipes)
    assert child.stdout  # noqa: S101
    counted: dict[str, Any] = {}
    try:
        child.stdin.write(json.dumps(vars(pages)) + "\n")
        child.stdin.flush()
        if child.stdout.readline().strip() != READY:
            raise PermanentError(f"not every page was shown something and answered within {READY_S} s")
        yield counted
    finally:
        child.stdin.close()
        said = child.stdout.read()
        child.wait()
    if child.returncode:
        raise PermanentError("the open pages broke off")
    counted.update(json.loads(said))


async def run(pages: Pages) -> dict[str, Any]:
    """Open them, say so, and read until standard input ends."""
    counted = Counted()
    begun = [asyncio.Event() for _ in range(2 * len(pages.questions))]
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        tasks = []
        for number, question in enumerate(pages.questions):
            connector = aiohttp.TCPConnector(limit=CONNECTIONS)
            session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            wait_s = MATCHING_S * number / len(pages.questions)
            shown, answered = begun[2 * number : 2 * number + 2]
            tasks += [
                group.create_task(_follow(session, pages.url, counted, shown)),
                group.create_task(_match(session, pages.url, question, wait_s, counted, answered)),
            ]
        async with asyncio.timeout(READY_S):
            await asyncio.gather(*(event.wait() for event in begun))
        counted.begin()
        since, used = time.monotonic(), _cpu_seconds()
        print(READY, flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)
        result = {**vars(counted), "seconds": time.monotonic() - since, "cpu_seconds": _cpu_seconds() - used}
        for task in tasks:
            task.cancel()
    return result


async def _follow(session: aiohttp.ClientSession, url: str, counted: Counted, shown: asyncio.Event) -> None:
    endless = aiohttp.ClientTimeout(total=None, sock_read=ANSWER_S)
    while True:
        try:
            async with session.get(f"{url}/live", timeout=endless, raise_for_status=True) as response:
                async for part in response.content.iter_any():
                    counted.bytes += len(part)
                    shown.set()
            counted.note("live ended")
        except (aiohttp.ClientError, TimeoutError) as error:
            counted.note(f"live {type(error).__name__}")
        await asyncio.sleep(AGAIN_S)


async def _match(
    session: aiohttp.ClientSession, url: str, question: str, wait_s: float, counted: Counted, answered: asyncio.Event
) -> None:
    """Every MATCHING_S, the first after `wait_s`; one that is still unanswered then takes the place of the next."""
    due = time.monotonic() + wait_s
    while True:
        await asyncio.sleep(due - time.monotonic())
        await _ask(session, url, question, counted, answered)
        due += MATCHING_S * max(1, math.ceil((time.monotonic() - due) / MATCHING_S))


async def _ask(
    session: aiohttp.ClientSession, url: str, question: str, counted: Counted, answered: asyncio.Event
) -> None:
    begun = time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    asked = {"question": question}
    try:
        async with session.get(f"{url}/matching", params=asked, timeout=timeout, raise_for_status=True) as response:
            counted.bytes += len(await response.read())
    except (aiohttp.ClientError, TimeoutError) as error:
        counted.note(f"matching {type(error).__name__}")
        return
    counted.matching_ms.append((time.perf_counter() - begun) * 1000)
    answered.set()


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    json.dump(asyncio.run(run(Pages(**json.loads(sys.stdin.readline())))), sys.stdout)
