"""A whole stack of the tests' own, started and ended by the command as a user would."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet.settings import CHECKOUT, Settings
from local import guard, launch, ports, running
from local.bench.api import stand_in
from local.openai_server.app import MODEL
from local.supervision import run_folder
from tests.conftest import SHARED_DATA, free_settings

FRESHET = Path(sys.executable).with_name("freshet")
START_TIMEOUT_S = 300


def eventually(check: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until it holds; raises RetryError when it does not in time."""
    retry(retry=retry_if_result(lambda done: not done), wait=wait_fixed(0.5), stop=stop_after_delay(seconds))(check)()


@dataclass(frozen=True)
class Stack:
    """A running stack and the command to speak to it."""

    settings: Settings
    environment: dict[str, str]

    def run(self, *arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        command = [FRESHET, *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=timeout, check=False
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def process(self, name: str) -> psutil.Process | None:
        return guard.process_of(run_folder(self.settings) / f"{name}.pid")

    def kill(self, name: str) -> None:
        process = self.process(name)
        assert process is not None, f"{name} does not run"
        process.kill()


class Model:
    """A stand-in for a model, which can be ended and started again on its port."""

    def __init__(self) -> None:
        (self.port,) = ports.find_free(1)
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(stand_in(self.port, delay_s=0.2))

    def end(self) -> None:
        self._running.close()


@pytest.fixture(scope="session")
def model() -> Iterator[Model]:
    model = Model()
    model.start()
    yield model
    model.end()


@pytest.fixture(scope="session")
def stack(model: Model) -> Iterator[Stack]:
    """The whole stack: real recorded events where they are at hand, else simulated ones; a model writes its answers."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-e2e-"))
    folder.chmod(0o755)
    recording = SHARED_DATA / "recentchange.ndjson.gz"
    source = {"source": "recording", "recording": recording} if recording.exists() else {"source": "simulated"}
    answerer = {"openai_base_url": f"http://127.0.0.1:{model.port}/v1", "answer_model": MODEL}
    settings = free_settings(folder, **source, **answerer, rate=200, lake_interval_s=5)
    stack = Stack(settings, {**os.environ, **running.environment_of(settings)})
    try:
        done = stack.run("up", "--detach", timeout=START_TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        yield stack
    finally:
        launch.down(settings)
        launch.remove_state(settings)
