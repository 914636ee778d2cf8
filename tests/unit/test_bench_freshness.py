"""The window with a backfill beside the one without."""

from local.bench.freshness import compared


def window(p50: float, p95: float, p99: float) -> dict[str, object]:
    return {
        "received_to_searchable_ms": {"p50": p50, "p95": p95, "p99": p99},
        "events_per_second": 240.0,
        "cpu_cores": 1.5,
    }


def test_the_ratio_is_how_many_times_as_long_it_took_beside_a_backfill() -> None:
    report = {"sent": 1900, "seconds": 10.0, "waited_seconds": 0.5}
    result = compared(window(20, 50, 100), window(30, 50, 400), 200, report)
    assert result["ratio"] == {"p50": 1.5, "p95": 1, "p99": 4}
    assert (result["backfill_rate"], result["backfill_sent_per_second"]) == (200, 190)
