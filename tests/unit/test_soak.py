"""A long run: what its report says of processes and of freshness."""

import pytest

from local.kept import jvm_parts_mb
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


def test_what_a_jvm_keeps_is_told_from_what_it_was_given() -> None:
    page = """jvm_memory_used_bytes{area="heap"} 9e8
jvm_memory_used_bytes{area="nonheap"} 2e8
jvm_memory_pool_collection_used_bytes{pool="Eden Space"} 0
jvm_memory_pool_collection_used_bytes{pool="Survivor Space"} 1e7
jvm_memory_pool_collection_used_bytes{pool="Tenured Gen"} 3e8
"""
    assert jvm_parts_mb(page) == {"heap after a collection": 310.0, "outside the heap": 200.0}


def test_each_part_of_a_process_has_its_own_slope_and_moments_without_it_do_not_count() -> None:
    samples = [
        Sample(at, {"lake": 900 + at}, {"lake": 5}, {"lake": 7}, parts)
        for at, parts in ((0, {"lake": {"heap": 100.0}}), (1800, {}), (3600, {"lake": {"heap": 100.0}}))
    ]
    found = report(samples, P95, P95)["processes"]["lake"]
    assert found["memory_mb"]["slope_mb_per_hour"] == pytest.approx(3600)
    assert found["parts_mb"] == {"heap": {"first": 100, "last": 100, "slope_mb_per_hour": 0}}
