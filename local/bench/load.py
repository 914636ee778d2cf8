"""`python -m local.bench.load`: many users at once, each asking again as soon as it is answered.

A process of its own, so that the API's processor time is not shared with it unseen. Reads a Load as JSON from standard
input and prints what came back as JSON.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import aiohttp

from freshet.errors import PermanentError
from freshet.settings import CHECKOUT

TIMEOUT_S: Final = 120


@dataclass(frozen=True)
class Load:
    """`users` post the `bodies` in turn to `url` for `seconds`; they begin one after another within `ramp_s`. An answer
    without the text `expected` is an error. After each answer a user looks at it for `pause_s`."""

    url: str
    bodies: list[str]
    users: int
    seconds: float
    ramp_s: float = 0.0
    expected: str = ""
    pause_s: float = 0.0


@dataclass
class Counted:
    """Milliseconds of each good answer, the last of them, and what went wrong, by its kind."""

    milliseconds: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    timings: list[dict[str, float]] = field(default_factory=list)


def apart(load: Load) -> dict[str, Any]:
    """What a process of its own counted: the fields of Counted, `seconds` and `cpu_seconds`."""
    done = subprocess.run(
        [sys.executable, "-m", "local.bench.load"], cwd=CHECKOUT, input=json.dumps(vars(load)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PermanentError(f"the load failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


async def run(load: Load) -> Counted:
    """Ask until the time is over and the last answers are there."""
    counted, turns = Counted(), count()
    deadline = time.monotonic() + load.seconds
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def user(number: int) -> None:
            await asyncio.sleep(load.ramp_s * number / load.users)
            while time.monotonic() < deadline:
                await _ask(session, load, load.bodies[next(turns) % len(load.bodies)], counted)
                await asyncio.sleep(load.pause_s)

        async with asyncio.TaskGroup() as group:
            for number in range(load.users):
                group.create_task(user(number))
    return counted


async def _ask(session: aiohttp.ClientSession, load: Load, body: str, counted: Counted) -> None:
    begun = time.perf_counter()
    try:
        async with session.post(load.url, data=body, headers={"Content-Type": "application/json"}) as response:
            answer = await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        _note(counted, type(error).__name__)
        return
    if response.status != 200:
        _note(counted, str(response.status))
    elif load.expected not in answer:
        _note(counted, "not as expected")
    else:
        counted.milliseconds.append((time.perf_counter() - begun) * 1000)
        counted.timings.append(json.loads(answer).get("timings", {}))


def _note(counted: Counted, kind: str) -> None:
    counted.errors[kind] = counted.errors.get(kind, 0) + 1


def main() -> None:
    """Run the load of standard input."""
    load = Load(**json.load(sys.stdin))
    begun = time.perf_counter()
    counted = asyncio.run(run(load))
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    result: dict[str, Any] = {**vars(counted), "seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
