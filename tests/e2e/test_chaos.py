"""A short chaos: broker, Postgres, both queries and the indexer are killed, and frames of the stream are cut off."""

import json
import os
import subprocess
from subprocess import PIPE
from typing import Any

import pytest

from freshet.settings import CHECKOUT
from tests.stacks import FRESHET

pytestmark = pytest.mark.e2e

SEED = "1251"
WHOLE_S = 840
"""The first test, which waits for it, has 900."""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    options = ["--minutes", "1.2", "--rate", "10", "--seed", SEED, "--no-airflow", "--json"]
    # what the last batches of the lake write need not be waited for long
    environment = {**os.environ, "FRESHET_LAKE_INTERVAL_S": "20"}
    command = [FRESHET, "chaos", *options]
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=PIPE, stderr=PIPE, text=True) as running:
        try:
            printed, said = running.communicate(timeout=WHOLE_S)
        except subprocess.TimeoutExpired:
            # it ends its stack, which would stand in the way of the tests after this one
            running.terminate()
            pytest.fail(f"not at rest after {WHOLE_S} s: {running.communicate()[1]}")
    assert printed, said
    return json.loads(printed)


@pytest.mark.timeout(900)
def test_every_event_is_in_every_store_once_after_all_that(found: dict[str, Any]) -> None:
    assert found["balanced"], found["books"]
    assert (found["lost"], found["doubled"]) == (0, 0)
    counts = found["books"]["counts"]
    assert counts["documents"] == counts["gold"] > 0


def test_what_it_says_it_broke_is_what_the_seed_gives(found: dict[str, Any]) -> None:
    killed = {f"kill {name}" for name in ("kafka", "postgres", "serve", "lake", "indexer")}
    assert set(found["faults"]) == {*killed, "frames cut off"}
    assert found["kills"] == len(killed)
    assert found["longest_staleness_s"] > 0


def test_a_search_is_answered_or_told_to_come_again(found: dict[str, Any]) -> None:
    assert found["searches"]["200"] > 0
    assert set(found["searches"]) <= {"200", "503", "none"}
