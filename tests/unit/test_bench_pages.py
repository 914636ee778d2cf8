"""What the measurement of the pages makes of what it counted."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from freshet.errors import ConfigError, PermanentError
from local.bench import loading, pages, watching
from local.bench.watching import Sample, slope_per_hour, thirds


def sample(number: int, **given: float) -> Sample:
    """The one of this number, half a minute after the one before, with 25 edits a second."""
    usual = dict.fromkeys(Sample.__dataclass_fields__, 1.0)
    return Sample(**{**usual, "seconds": 30 * number, "edits": 750 * number, "skipped": 0, **given})  # type: ignore[arg-type]


def run(milliseconds: Sequence[float], ui_cpu: float = 0.1, **given: Any) -> dict[str, Any]:
    return {"milliseconds": milliseconds, "seconds": 2.0, "errors": {}, "cpu_cores": {"ui": ui_cpu}, **given}


def test_a_slope_is_that_of_the_line_nearest_to_all_values() -> None:
    assert slope_per_hour([0, 1800, 3600], [10, 11, 12]) == pytest.approx(2)
    assert slope_per_hour([0, 1200, 2400, 3600], [5, 6, 5, 6]) == pytest.approx(0.6)
    assert slope_per_hour([0], [10]) is None


def test_the_last_third_is_compared_with_the_first() -> None:
    assert thirds([1, 1, 5, 5, 2, 4]) == {"first_third": 1, "last_third": 3, "ratio": 3}
    assert thirds([0.5]) == {"first_third": 0.5, "last_third": 0.5, "ratio": 1}
    assert thirds([0, 1])["ratio"] is None


def test_what_a_page_keeps_is_counted_after_the_warm_up() -> None:
    filling = [sample(1, heap_mb=50), sample(2, heap_mb=20)]
    steady = [
        sample(number, heap_mb=10 + number / 120, nodes=900 + number, main_thread_cpu=0.1) for number in range(3, 13)
    ]
    seen = watching.summary([*filling, *steady])
    assert seen["samples"] == 10
    assert seen["heap_mb"] == {"first": 10.03, "last": 10.1, "slope_mb_per_hour": 1}
    assert seen["nodes"] == {"first": 903, "last": 912, "slope_per_hour": 120}
    assert seen["main_thread_cpu"] == {"first_third": 0.1, "last_third": 0.1, "ratio": 1}
    assert (seen["minutes"], seen["edits"], seen["edits_per_second"], seen["skipped"]) == (6, 9000, 25, 0)


def test_searches_of_all_rounds_are_pooled() -> None:
    seen = pages.pooled([run([10, 20, 30]), run([40, 50], 0.3, errors={"503": 1})])
    assert seen["latency_ms"] == {"p50": 30, "p95": 48, "p99": 49.6}
    assert seen["p95_ms_by_round"] == [29, 49.5]
    assert (seen["requests"], seen["requests_per_second"], seen["errors"]) == (5, 1.2, 1)
    assert seen["cpu_cores"] == {"ui": 0.2}


def test_a_round_without_an_answer_is_no_measurement() -> None:
    with pytest.raises(PermanentError, match="503"):
        pages.pooled([run([10]), run([], errors={"503": 7})])


def test_what_open_pages_read_is_told_for_one_page() -> None:
    counted = {"bytes": 4000, "seconds": 2.0, "matching_ms": [10.0, 20.0], "errors": {"live ended": 1}}
    assert pages.read([run([1], pages=counted), run([1], pages=counted)], 10) == {
        "bytes_per_second_per_page": 200,
        "matching_ms": {"p50": 15, "p95": 20},
        "matching": 4,
        "page_errors": {"live ended": 2},
    }
    unanswered = {**counted, "matching_ms": []}
    assert pages.read([run([1], pages=unanswered)], 10)["matching_ms"] is None


def test_every_page_has_a_question_of_its_own() -> None:
    made = pages.questions(["Bridge", "Glacier"], 50)
    assert len(set(made)) == 50
    assert all("Bridge" in made[n] for n in range(0, 50, 2))


def test_loads_are_told_by_percentiles() -> None:
    assert loading.figures([100, 200, 300]) == {"p50": 200, "p95": 290, "max": 300, "count": 3}


def test_a_recording_that_ends_too_soon_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "browser", nullcontext)
    recording = tmp_path / "recording.ndjson"
    recording.write_text('{"meta": {"id": "1"}}\n' * 100)
    pages.check(recording, rate=10, seconds=10)
    with pytest.raises(ConfigError, match="ends after 5 s at 20 events/s, and this takes 10 s"):
        pages.check(recording, rate=20, seconds=10)


def test_edits_must_come_until_the_last_sample() -> None:
    assert pages.duration(loads=0, seconds=0, minutes=60) > 3600
    assert pages.duration(10, 20, 60) - pages.duration(10, 10, 60) == 40
