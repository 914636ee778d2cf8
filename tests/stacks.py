"""A whole stack of the tests' own, started and ended by the command as a user would."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
import pytest
from tenacity import RetryCallState, RetryError, retry, retry_if_result, stop_after_delay

from freshet.environment import environment_of
from freshet.settings import CHECKOUT, Settings
from local import guard, launch, ports
from local.bench.api import stand_in
from local.openai_server.app import MODEL
from local.supervision import run_folder
from tests.conftest import free_settings

FRESHET = Path(sys.executable).with_name("freshet")
START_TIMEOUT_S = 300


def eventually(check: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until it holds; raises RetryError when it does not in time.

    It rests for twice the time of a look, 10 s at most: one that is a command takes a core, which others need.
    """
    took = 0.0

    def look() -> bool:
        nonlocal took
        began = time.monotonic()
        held = check()
        took = time.monotonic() - began
        return held

    def rest(_: RetryCallState) -> float:
        return min(10.0, max(0.5, 2 * took))

    retry(retry=retry_if_result(lambda done: not done), wait=rest, stop=stop_after_delay(seconds))(look)()


@dataclass(frozen=True)
class Stack:
    """A running stack and the command to speak to it."""

    settings: Settings
    environment: dict[str, str]

    def run(self, *arguments: str, timeout: float = 1200) -> subprocess.CompletedProcess[str]:
        command = [FRESHET, *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=timeout, check=False
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def until_healthy(self, seconds: float = 120) -> None:
        """Wait until every process works; fails with those that do not."""
        try:
            eventually(lambda: bool(self.json("status")["healthy"]), seconds)
        except RetryError:
            rows = self.json("status")["processes"]
            pytest.fail(f"after {seconds:g} s: {[row for row in rows if row['state'] != 'ready']}")

    def process(self, name: str) -> psutil.Process | None:
        return guard.process_of(run_folder(self.settings) / f"{name}.pid")

    def kill(self, name: str) -> None:
        process = self.process(name)
        assert process is not None, f"{name} does not run"
        process.kill()


class Model:
    """A stand-in for a model, which can be ended and started again on its port."""

    def __init__(self, delay_s: float) -> None:
        (self.port,) = ports.find_free(1)
        self._delay_s = delay_s
        self._running = ExitStack()

    def start(self, delay_s: float | None = None) -> None:
        """With another delay than its own, if one is given."""
        self._running.enter_context(stand_in(self.port, self._delay_s if delay_s is None else delay_s))

    def end(self) -> None:
        self._running.close()

    @property
    def settings(self) -> dict[str, Any]:
        """What makes a stack ask it."""
        return {"openai_base_url": f"http://127.0.0.1:{self.port}/v1", "answer_model": MODEL}


@contextmanager
def running_stack(environment: Mapping[str, str] = MappingProxyType({}), **overrides: Any) -> Iterator[Stack]:
    """A stack with these settings until the block ends; its processes have this environment besides."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-e2e-"))
    folder.chmod(0o755)
    settings = free_settings(folder, **overrides)
    stack = Stack(settings, {**os.environ, **environment_of(settings), **environment})
    try:
        done = stack.run("up", "--detach", timeout=START_TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        yield stack
    finally:
        launch.down(settings)
        launch.remove_state(settings)
