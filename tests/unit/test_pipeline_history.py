"""From looks to the points of the last hour, and what is read off the answers of others."""

from datetime import timedelta

import pytest

from api.pipeline.airflow import unhealthy
from api.pipeline.history import KEPT, STEP_S, History, Look, counted
from api.pipeline.processes import addresses
from freshet import airflow_access
from freshet.contract import topics
from freshet.settings import load_settings
from freshet.telemetry import metrics
from tests.documents import NOON


def look(number: int, counts: dict[str, float] | None = None, **given: float) -> Look:
    return Look(NOON + timedelta(seconds=STEP_S * number), STEP_S * number, counts or {}, **given)


def test_a_rate_is_the_difference_to_the_look_before_and_unknown_at_the_first() -> None:
    history = History()
    history.add(look(0, {topics.RAW: 1000, topics.GOLD: 400}))
    history.add(look(1, {topics.RAW: 1400, topics.GOLD: 400}))
    first, second = history.since(None).points
    assert (first.received_per_second, first.gold_per_second) == (None, None)
    assert (second.received_per_second, second.gold_per_second, second.silver_per_second) == (40, 0, None)


def test_a_topic_that_was_away_or_made_anew_has_no_rate_until_it_is_seen_twice() -> None:
    history = History()
    for number, counts in enumerate([{topics.RAW: 500}, {}, {topics.RAW: 900}, {topics.RAW: 3}, {topics.RAW: 13}]):
        history.add(look(number, counts))
    assert [point.received_per_second for point in history.since(None).points] == [None, None, None, None, 1]


def test_errors_are_those_of_the_last_minute() -> None:
    history = History()
    for number, errors in enumerate([0, 2, 2, 2, 2, 2, 2, 2, 2]):
        history.add(look(number, {"errors": errors, "failures": 0}))
    assert [point.api_errors_per_minute for point in history.since(None).points] == [0, 2, 2, 2, 2, 2, 2, 0, 0]


def test_an_hour_is_kept_and_who_has_a_part_of_it_asks_for_the_rest() -> None:
    history = History()
    assert history.since(None).recorded_since is None
    for number in range(KEPT + 5):
        history.add(look(number, lag_lake=number))
    whole = history.since(None)
    assert (len(whole.points), whole.recorded_since) == (KEPT, look(5).at)
    assert KEPT * STEP_S == 3600
    assert [point.lag_lake for point in history.since(look(KEPT + 2).at).points] == [KEPT + 3, KEPT + 4]


def test_only_answers_under_v1_that_are_our_fault_are_errors() -> None:
    before = counted()
    for route, status in (("/v1/search", 503), ("/v1/search", 422), ("/v1/ask", 500), ("/readyz", 503)):
        metrics.REQUESTS.labels(route, "POST", status).observe(0.01)
    metrics.MODEL_FAILURES.labels("timeout").inc()
    after = counted()
    assert (after["errors"] - before["errors"], after["failures"] - before["failures"]) == (2, 1)


def test_parts_of_airflow_that_are_not_healthy_are_named() -> None:
    well = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor")}
    assert unhealthy({**well, "triggerer": {"status": None}}) is None
    ill = {**well, "scheduler": {"status": "unhealthy"}, "dag_processor": {"status": None}}
    assert unhealthy(ill) == "scheduler is unhealthy, dag_processor is not there"


def test_processes_are_the_embedded_ones_or_those_that_are_named_in_the_order_of_the_data() -> None:
    embedded = addresses(load_settings(indexer_metrics_port=18999))
    assert list(embedded) == ["producer", "serve", "lake", "indexer", "context"]
    assert "context" not in addresses(load_settings(context_source="none"))
    assert embedded["indexer"] == "http://127.0.0.1:18999/readyz"
    named = ("gateway=http://gateway/ready", "indexer=http://indexer:1/readyz", "producer=http://p:2/readyz?a=b")
    assert addresses(load_settings(process_urls=named)) == {
        "producer": "http://p:2/readyz?a=b", "indexer": "http://indexer:1/readyz", "gateway": "http://gateway/ready"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"airflow_port": 18777}, "http://127.0.0.1:18777"),
        ({"airflow": False}, None),
        ({"airflow": False, "airflow_url": "https://me:secret@airflow.example/base/"}, "https://airflow.example/base"),
    ],
)
def test_the_airflow_that_is_shown_is_the_embedded_one_or_another_without_who_enters(given, address) -> None:
    assert airflow_access.shown_url(load_settings(**given)) == address
