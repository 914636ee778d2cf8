"""A whole stack of the tests' own, started and ended by the command as a user would."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from freshet.settings import CHECKOUT, Settings
from local import guard, launch, running
from local.supervision import run_folder
from tests.conftest import SHARED_DATA, free_settings

FRESHET = Path(sys.executable).with_name("freshet")
START_TIMEOUT_S = 300


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

    def kill(self, name: str) -> None:
        process = guard.process_of(run_folder(self.settings) / f"{name}.pid")
        assert process is not None, f"{name} does not run"
        process.kill()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole stack: real recorded events where they are at hand, else simulated ones."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-e2e-"))
    folder.chmod(0o755)
    recording = SHARED_DATA / "recentchange.ndjson.gz"
    source = {"source": "recording", "recording": recording} if recording.exists() else {"source": "simulated"}
    settings = free_settings(folder, **source, rate=200, lake_interval_s=5)
    stack = Stack(settings, {**os.environ, **running.environment_of(settings)})
    try:
        done = stack.run("up", "--detach", timeout=START_TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        yield stack
    finally:
        launch.down(settings)
        launch.remove_state(settings)
