"""The whole stack on a machine whose clock is set an hour back, and later ahead again: nothing is lost, all goes on.

The tests stand in the order of one story and share one stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clocks import SettableClock
from tests.stacks import Stack, eventually, running_stack

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
def timed(state_dir: Path) -> Iterator[Timed]:
    clock = SettableClock(state_dir)
    with running_stack(clock.environment, source="simulated", rate=20, airflow=False) as stack:
        stack.until_healthy()
        yield Timed(stack, clock)


def test_before_the_clock_is_set_the_books_balance(timed: Timed) -> None:
    timed.all_is_well_with_what_comes_now()


def test_an_hour_back_the_queries_are_started_again_and_the_books_balance(timed: Timed) -> None:
    timed.clock.set(-HOUR_S)
    timed.all_is_well_with_what_comes_now()
    assert "the clock was set back" in (timed.stack.settings.state_dir / "logs" / "lake.log").read_text()


def test_an_hour_ahead_the_books_balance(timed: Timed) -> None:
    timed.clock.set(0)
    timed.all_is_well_with_what_comes_now()
