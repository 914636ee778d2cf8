"""The command of a replay: what it does unasked."""

import json

import pytest

from freshet.errors import PermanentError
from freshet.upkeep.replay import Chunk, Range
from spark_jobs.replay import arguments

CHUNK = Chunk("log", (Range(0, 5, 9),))
GIVEN = ["--chunk", json.dumps(CHUNK.as_json())]


def test_a_dry_run_is_what_it_does_unasked() -> None:
    asked = arguments(GIVEN)
    assert (asked.chunk, asked.apply, asked.run_id, asked.dag_id) == (CHUNK, False, "", "replay")
    assert arguments([*GIVEN, "--dry-run"]).apply is False
    assert arguments([*GIVEN, "--apply"]).apply is True


@pytest.mark.parametrize("given", [[], [*GIVEN, "--apply", "--dry-run"]])
def test_what_is_unclear_is_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(given)


def test_what_is_no_chunk_is_refused() -> None:
    with pytest.raises(PermanentError, match="no chunk"):
        arguments(["--chunk", "{}"])
