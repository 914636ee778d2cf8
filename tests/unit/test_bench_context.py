"""The window with context beside the one without, and what its process counted."""

import pytest

from freshet.settings import load_settings
from local.bench import context
from tests.serving import listening

COUNTED = """# TYPE freshet_context_requests_total counter
freshet_context_requests_total{outcome="answered"} 28.0
freshet_context_requests_total{outcome="timeout"} 2.0
# TYPE freshet_context_lookups_total counter
freshet_context_lookups_total{outcome="known"} 300.0
freshet_context_lookups_total{outcome="unknown"} 100.0
"""


def window(p50: float, p95: float, p99: float) -> dict[str, object]:
    return {
        "received_to_searchable_ms": {"p50": p50, "p95": p95, "p99": p99},
        "events_per_second": 40.0,
        "cpu_cores": 0.8,
        "peak_memory_mb": {"context": 80},
    }


def test_the_ratio_is_how_many_times_as_long_it_took_with_context() -> None:
    result = context.compared(window(20, 50, 100), window(22, 50, 120))
    assert result["ratio"] == {"p50": 1.1, "p95": 1, "p99": 1.2}
    assert result["memory_mb"] == 80


def test_requests_and_known_pages_are_as_the_process_counted_them() -> None:
    async def metrics(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": COUNTED.encode()})

    with listening(metrics) as (_, address):
        settings = load_settings(context_metrics_port=int(address.rsplit(":", 1)[1]))
        seen = context.asked(settings, 60.0)
    assert seen["requests"] == {"answered": 28, "timeout": 2}
    assert seen["requests_per_minute"] == 30
    assert seen["hit_rate"] == pytest.approx(0.75)
