"""A long run: what its report says of processes and of freshness."""

import pytest

from local.soak import Sample, report

P95 = {"p50": 20.0, "p95": 80.0, "count": 100}


def sample(seconds: float, memory_mb: float, handles: int, pid: int = 7) -> Sample:
    return Sample(seconds, {"indexer": memory_mb}, {"indexer": handles}, {"indexer": pid})


def test_a_process_that_keeps_more_and_more_has_a_slope() -> None:
    found = report([sample(at, 100 + at / 36, 50) for at in (0, 1800, 3600)], P95, P95)
    kept = found["processes"]["indexer"]
    assert kept["memory_mb"] == {"first": 100, "last": 200, "slope_mb_per_hour": pytest.approx(100)}
    assert kept["handles"] == {"first": 50, "last": 50, "slope_per_hour": 0}
    assert found["restarts"] == []


def test_a_process_that_was_started_again_is_named_and_has_no_slope() -> None:
    found = report([sample(0, 100, 50), sample(3600, 10, 5, pid=8)], P95, P95)
    assert (found["processes"], found["restarts"]) == ({}, ["indexer"])


def test_freshness_of_the_end_is_compared_with_that_of_the_beginning() -> None:
    found = report([sample(0, 1, 1)], P95, {**P95, "p95": 100.0})
    assert found["received_to_searchable_ms"]["p95_ratio"] == 1.25
    assert report([sample(0, 1, 1)], P95, {"count": 0})["received_to_searchable_ms"]["p95_ratio"] is None
