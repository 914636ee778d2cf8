"""Which batches of a drain the lake's rate is made of."""

import pytest

from local.bench import usage
from local.bench.backlog import lake_figures

COLD = [{"rows": 199_998, "seconds": 50.0}, {"rows": 199_997, "seconds": 50.0}]


def test_the_rate_is_that_of_the_batches_after_the_warm_up() -> None:
    figures = lake_figures([*COLD, {"rows": 199_998, "seconds": 20.0}, {"rows": 200_002, "seconds": 20.0}])
    assert figures["events_per_second"] == 10_000
    assert figures["events"] == 400_000
    assert figures["warm_up_events"] == 399_995
    assert figures["cold_events_per_second"] == pytest.approx(4_000, abs=1)


@pytest.mark.parametrize("events", [1_000, 100_000, 200_005])
def test_few_events_after_the_warm_up_are_measured_too(events: int) -> None:
    figures = lake_figures([*COLD, {"rows": events, "seconds": 10.0}])
    assert (figures["events"], figures["events_per_second"]) == (events, round(events / 10, 1))


def test_the_few_records_that_the_others_left_do_not_count() -> None:
    figures = lake_figures([*COLD, {"rows": 199_998, "seconds": 20.0}, {"rows": 7, "seconds": 4.0}])
    assert figures["events"] == 199_998


def test_one_record_after_the_warm_up_is_no_measurement() -> None:
    figures = lake_figures([COLD[0], {"rows": 1, "seconds": 4.0}], warm_up=100_000)
    assert (figures["events"], figures["events_per_second"]) == (199_998, 4_000)


def test_of_a_log_shorter_than_the_warm_up_all_is_measured_and_that_is_said() -> None:
    figures = lake_figures(COLD[:1])
    assert (figures["events_per_second"], figures["warm_up_events"]) == (4_000, 0)
    assert figures["cold_events_per_second"] is None


def test_an_empty_log_has_no_rate() -> None:
    assert lake_figures([])["events_per_second"] is None


def test_the_cpu_seconds_are_those_of_the_batches_that_count() -> None:
    cpu = {"lake": 30.0, "kafka": 1.0}
    figures = lake_figures([{**one, "cpu_seconds": cpu} for one in (*COLD, *COLD)], warm_up=200_000)
    assert figures["cpu_seconds"] == {"lake": 90.0, "kafka": 3.0}
    assert figures["events"] == 599_992
    assert figures["seconds"] == 150


def test_memory_is_told_by_thirds_so_that_growth_is_seen() -> None:
    assert usage._by_thirds([100, 110, 100, 200, 210, 200, 300, 999, 300]) == {
        "first": 100, "middle": 200, "last": 300, "peak": 999
    }  # fmt: skip
