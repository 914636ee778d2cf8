"""The whole stack on a machine whose clock is set an hour back, and later ahead again: nothing is lost, all goes on.

The tests stand in the order of one story and share one stack.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from freshet.environment import environment_of
from local import launch
from tests.clocks import SettableClock
from tests.conftest import free_settings
from tests.stacks import START_TIMEOUT_S, Stack, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.long]

HOUR_S = 3600


@dataclass(frozen=True)
class Timed:
    stack: Stack
    clock: SettableClock

    def served(self) -> int:
        """Events that the stream has sent."""
        return int(self.stack.json("audit")["counts"]["served events"])

    def all_is_well_with_what_comes_now(self) -> None:
        """Waits until each store has as much as was served when this began, then until the books balance."""
        self.stack.until_healthy(240)
        asked = self.served()
        eventually(lambda: self.stack.json("audit")["counts"]["silver"] >= asked, 240)
        books = self.stack.json("audit", "--wait", "240")
        assert books["balanced"], books["imbalances"]


@pytest.fixture(scope="module")
def timed() -> Iterator[Timed]:
    folder = Path(tempfile.mkdtemp(prefix="freshet-e2e-"))
    folder.chmod(0o755)
    clock = SettableClock(folder)
    settings = free_settings(folder, source="simulated", rate=20, airflow=False)
    stack = Stack(settings, {**os.environ, **environment_of(settings), **clock.environment})
    try:
        done = stack.run("up", "--detach", timeout=START_TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        stack.until_healthy()
        yield Timed(stack, clock)
    finally:
        launch.down(settings)
        launch.remove_state(settings)


def test_before_the_clock_is_set_the_books_balance(timed: Timed) -> None:
    timed.all_is_well_with_what_comes_now()


def test_an_hour_back_the_queries_are_started_again_and_the_books_balance(timed: Timed) -> None:
    timed.clock.set(-HOUR_S)
    timed.all_is_well_with_what_comes_now()
    assert "the clock was set back" in (timed.stack.settings.state_dir / "logs" / "lake.log").read_text()


def test_an_hour_ahead_the_books_balance(timed: Timed) -> None:
    timed.clock.set(0)
    timed.all_is_well_with_what_comes_now()
