"""The verdict on the pipeline: every state, the first broken stage, and a quiet stream told from one that is stuck."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.models.pipeline import ProcessOut, ProcessState, VerdictOut
from api.pipeline.log import LogNow
from api.pipeline.verdict import FRESH_SHARE, Seen, judge
from freshet.settings import load_settings
from freshet.upkeep.observations import Owed
from tests.documents import NOON

SETTINGS = load_settings()
NAMES = ("producer", "serve", "lake", "indexer", "api", "kafka", "postgres", "airflow")
SLA = SETTINGS.sla_searchable_age_s


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def processes(**states: ProcessState) -> list[ProcessOut]:
    return [ProcessOut(name=name, state=states.get(name, "ready"), detail=None, since=ago(90)) for name in NAMES]


LOG = LogNow(NOON, {}, ago(0.1), ago(0.1), ago(0.5), Owed(), Owed(), 0)


JUST_NOW = ago(0.4)


def seen(
    newest_at: datetime | str | None = JUST_NOW, *, states: Mapping[str, ProcessState] | None = None, **log: Any
) -> Seen:
    return Seen(NOON, replace(LOG, **log), newest_at, processes(**states or {}))


def verdict(one: Seen) -> VerdictOut:
    return judge(one, SETTINGS)


def test_a_stream_that_flows_is_fresh_and_needs_no_words() -> None:
    assert verdict(seen()) == VerdictOut(state="fresh", since=ago(0.4), because=None, action=None)


def test_a_quiet_stream_has_an_old_newest_document_and_is_fresh() -> None:
    quiet = seen(ago(110), heard_at=ago(110), silver_at=ago(110), gold_at=ago(110))
    assert verdict(quiet).state == "fresh"
    without_documents = seen(ago(250), gold_at=ago(250))
    assert verdict(without_documents).state == "fresh"


def test_gold_that_waits_for_the_indexer_is_late_and_then_stale() -> None:
    late = verdict(seen(ago(30), unindexed=Owed(40, ago(30))))
    assert (late.state, late.since) == ("late", ago(30))
    assert late.because == "40 gold records wait for the indexer, the oldest 30 s"
    stale = verdict(seen(ago(70), unindexed=Owed(1204, ago(70))))
    assert (stale.state, stale.since) == ("stale", ago(70))
    assert stale.because == "1,204 gold records wait for the indexer, the oldest 70 s"
    assert stale.action == "see `freshet status` and `freshet logs indexer`"


def test_a_backlog_is_late_although_something_new_becomes_searchable_all_the_time() -> None:
    assert verdict(seen(ago(0.1), unindexed=Owed(5000, ago(30)))).state == "late"


def test_raw_that_waits_for_the_serve_query_is_named_before_what_comes_after_it() -> None:
    both = verdict(seen(ago(80), unserved=Owed(1, ago(75)), unindexed=Owed(9, ago(80))))
    assert (both.state, both.because) == ("stale", "1 raw record waits for the serve query, the oldest 75 s")


def test_the_worst_fault_makes_the_state_and_is_the_one_that_is_named() -> None:
    one = verdict(seen(ago(80), unserved=Owed(5, ago(20)), unindexed=Owed(9, ago(80))))
    assert (one.state, one.because) == ("stale", "9 gold records wait for the indexer, the oldest 80 s")


def test_a_reader_that_is_not_ready_is_said_to_be_so() -> None:
    one = verdict(seen(ago(80), states={"indexer": "not ready"}, unindexed=Owed(9, ago(80))))
    assert one.because == "9 gold records wait for the indexer, which is not ready, the oldest 80 s"


@pytest.mark.parametrize(("limit", "below", "above"), [(SLA * FRESH_SHARE, "fresh", "late"), (SLA, "late", "stale")])
def test_a_threshold_may_be_reached_and_not_passed(limit: float, below: str, above: str) -> None:
    assert verdict(seen(unindexed=Owed(1, ago(limit)))).state == below
    assert verdict(seen(unindexed=Owed(1, ago(limit + 0.01)))).state == above


def test_silver_that_goes_on_without_documents_is_stale() -> None:
    stuck = verdict(seen(ago(400), gold_at=ago(400)))
    assert (stuck.state, stuck.since) == ("stale", ago(400))
    assert stuck.because == "no document was made of the edits of the last 400 s"


def test_a_silent_source_is_stopped_since_its_last_record() -> None:
    silent = verdict(seen(ago(130), heard_at=ago(130), silver_at=ago(130), gold_at=ago(131)))
    assert (silent.state, silent.since, silent.because) == ("stopped", ago(130), "no edit was received for 130 s")
    assert verdict(seen(heard_at=None)).because == "no edit was ever received, or none is kept in the log"


@pytest.mark.parametrize(
    ("name", "called"), [("producer", "the producer"), ("serve", "the serve query"), ("indexer", "the indexer")]
)
def test_a_process_on_the_way_that_is_away_is_stopped_since_it_was_seen_so(name: str, called: str) -> None:
    stopped = verdict(seen(ago(0.1), states={name: "away"}))
    assert (stopped.state, stopped.since, stopped.because) == ("stopped", ago(90), f"{called} does not answer")
    action = f"whatever supervises it starts it again; see `freshet status` and `freshet logs {name}`"
    assert stopped.action == action


def test_of_two_processes_that_are_away_the_first_on_the_way_is_named() -> None:
    assert verdict(seen(states={"producer": "away", "indexer": "away"})).because == "the producer does not answer"


@pytest.mark.parametrize("name", ["lake", "airflow"])
def test_what_is_not_on_the_way_does_not_stop_it(name: str) -> None:
    assert verdict(seen(states={name: "away"})).state == "fresh"


def test_nothing_is_known_while_kafka_or_postgres_cannot_be_asked() -> None:
    blind = Seen(NOON, "Kafka does not answer: timed out", ago(1), processes(kafka="away"))
    assert (verdict(blind).state, verdict(blind).since) == ("unknown", ago(90))
    assert verdict(blind).because == "Kafka does not answer: timed out"
    no_store = seen("Postgres does not answer", states={"producer": "away", "postgres": "away"})
    assert (verdict(no_store).state, verdict(no_store).because) == ("unknown", "Postgres does not answer")
    both = Seen(NOON, "Kafka does not answer", "Postgres does not answer", processes())
    assert verdict(both).because == "Kafka does not answer"
    assert verdict(replace(blind, newest_at=None)).state == "unknown"


def test_a_store_without_documents_is_empty_and_says_what_it_waits_for() -> None:
    assert verdict(seen(None)) == VerdictOut(
        state="empty", since=None, because="no edit has become searchable yet", action="the first ones are on their way"
    )
    starting = verdict(seen(None, states={"serve": "away"}, heard_at=None))
    assert (starting.state, starting.because) == ("empty", "no edit was ever received, or none is kept in the log")


moments = st.none() | st.floats(-60, 1e7).map(ago)
owed = st.builds(Owed, st.integers(0, 10**9), moments)
logs = st.builds(LogNow, st.just(NOON), st.just({}), moments, moments, moments, owed, owed)
states = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["ready", "not ready", "away"]))


@settings(deadline=None)
@given(st.just("away") | logs, st.just("away") | moments, states)
def test_whatever_is_seen_only_what_is_fresh_needs_no_words(log: Any, newest_at: Any, known: Any) -> None:
    one = verdict(Seen(NOON, log, newest_at, processes(**known)))
    assert (one.because is None) == (one.action is None) == (one.state == "fresh")
    assert (one.state == "unknown") == ("away" in (log, newest_at))
