"""What is asked of embedding beside the stream, and the arithmetic of progress and comparison."""

from datetime import UTC, datetime
from typing import Any

import pytest

from freshet.errors import PermanentError
from freshet.store.missing import Span
from freshet.upkeep.moves import (
    MOST_CHUNKS,
    WINDOW_S,
    Asked,
    Compared,
    Pace,
    asked,
    chunk_size,
    overlap,
    recall,
    table_bytes,
)
from freshet.upkeep.reembed import arguments
from local.cli.embeddings import conf

DAY = (datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
PARAMS: dict[str, Any] = {
    "action": "move", "model": "new", "chunk_texts": 100, "least_recall": 0.9, "least_overlap": 0.1, "switch": True,
    "since": None, "until": None, "dry_run": True,
}  # fmt: skip


@pytest.mark.parametrize("run_type", ["scheduled", "backfill"])
def test_a_run_by_schedule_or_over_dates_fills_its_interval_whatever_the_parameters_say(run_type: str) -> None:
    assert asked(PARAMS, run_type, *DAY) == Asked("fill", apply=True, chunk_texts=100, span=Span(*DAY))


def test_a_run_by_hand_does_what_its_parameters_say_and_is_dry_unless_told_otherwise() -> None:
    dry = asked(PARAMS, "manual", *DAY)
    assert dry == Asked("move", "new", False, 100, 0.9, 0.1, True)
    assert dry.steps == ()
    told = asked({**PARAMS, "dry_run": False}, "manual", *DAY)
    assert told.steps == ("embed", "index", "compare", "switch")
    assert asked({**PARAMS, "dry_run": False, "switch": False}, "manual", *DAY).steps == ("embed", "index", "compare")
    fill = asked({**PARAMS, "action": "fill", "model": None, "since": "2026-11-22T00:00:00Z"}, "manual", *DAY)
    assert fill.span == Span(DAY[0], None)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"action": "move"}, "which model to move"),
        ({"action": "drop"}, "which model to drop"),
        ({"action": "mend", "model": "new"}, "'mend' is none of fill, move, drop"),
        ({"action": "move", "model": "../new"}, "no name of a model"),
        ({"action": "move", "model": "new", "span": Span(*DAY)}, "times are for fill"),
        ({"action": "fill", "span": Span(datetime(2026, 11, 22))}, "in no time zone"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], error: str) -> None:
    with pytest.raises(PermanentError, match=error):
        Asked(**given)


def test_the_command_asks_for_the_same_and_is_dry_as_well() -> None:
    assert arguments(["move", "--model", "new"]) == Asked("move", "new")
    assert arguments(["fill", "--apply", "--since", "2026-11-22T00:00:00Z"]) == Asked(
        "fill", apply=True, span=Span(DAY[0], None)
    )
    assert arguments(["move", "--model", "new", "--apply", "--no-switch"]).steps == ("embed", "index", "compare")


def test_freshet_embeddings_asks_airflow_for_what_it_was_asked() -> None:
    for one in (
        Asked("move", "new", True, 7, 0.8, 0.2, False),
        Asked("fill", apply=False, span=Span(*DAY)),
        Asked("drop", "old", apply=True),
    ):
        assert conf(one).keys() == PARAMS.keys()
        assert asked(conf(one), "manual", None, None) == one


def test_chunks_become_larger_before_there_are_too_many() -> None:
    assert chunk_size(10, 5_000) == 5_000
    assert chunk_size(MOST_CHUNKS * 10_000, 5_000) == 10_000


def test_the_rate_is_that_of_the_last_minute() -> None:
    pace = Pace(now=0)
    assert pace.add(0, now=0) is None
    assert pace.add(100, now=10) == 10
    assert pace.add(100, now=20) == 10
    rates = [pace.add(10, now=20 + second) for second in range(1, round(WINDOW_S) + 20)]
    assert rates[-1] == pytest.approx(10, abs=0.5)
    assert Pace(now=5).add(30, now=8) == 10


def test_neighbours_that_both_have_count_and_of_equally_near_ones_any_will_do() -> None:
    assert overlap(["a", "b", "c", "d"], ["d", "x", "y", "a"]) == 0.5
    assert overlap([], []) == 0
    best = [("a", 0.1), ("b", 0.2), ("c", 0.2)]
    assert recall([("a", 0.1), ("d", 0.2), ("e", 0.2)], best) == 1
    assert recall([("a", 0.1), ("x", 0.3), ("y", 0.4)], best) == pytest.approx(1 / 3)
    assert recall([], []) == 1


def test_a_model_below_either_bound_is_not_switched_to() -> None:
    wanted = Asked("move", "new", least_recall=0.95, least_overlap=0.3)
    assert Compared(100, 0.3, 0.95).faults(wanted) == []
    assert Compared(100, 0.29, 0.94).faults(wanted) == [
        "recall is 0.940, least is 0.95", "overlap is 0.290, least is 0.3",
    ]  # fmt: skip


def test_a_table_is_as_large_as_its_vectors_its_hashes_and_its_index() -> None:
    assert table_bytes(1_000, 384, 1_000_000) == pytest.approx(1_000_000 + 1_000 * (768 + 197), rel=0.01)
