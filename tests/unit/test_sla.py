"""What was measured, judged: a stream that is quiet, one that is stuck, and what cannot be asked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshet.settings import load_settings
from freshet.store.sla import Check
from freshet.upkeep.breaches import step
from freshet.upkeep.observations import LakeSeen, LogSeen, Observations, Owed, StoreSeen
from freshet.upkeep.sla import DEPENDENCIES, checks, is_breach
from tests.documents import NOON

SETTINGS = load_settings()


def ago(seconds: float) -> Any:
    return NOON - timedelta(seconds=seconds)


LIVE = Observations(
    at=NOON,
    log=LogSeen(ago(0.1), ago(0.1), ago(0.5), Owed(), Owed(), Owed(1200, ago(25)), received=24_000, rejected=3),
    store=StoreSeen(ago(0.4), 0, None),
    lake=LakeSeen(ago(25), ago(25), 40, ago(1200)),
)
HOUR = 3600.0


def log(**given: Any) -> Observations:
    assert isinstance(LIVE.log, LogSeen)
    return replace(LIVE, log=replace(LIVE.log, **given))


def quiet(**given: Any) -> Observations:
    """Nothing has come for an hour, and all that had come is done."""
    old = {"raw_at": ago(HOUR), "silver_at": ago(HOUR), "gold_at": ago(HOUR + 4), "unlaked": Owed()}
    return log(**{**old, "received": 0, "rejected": 0, **given})


def states(seen: Observations) -> dict[str, str]:
    return {check.name: check.state for check in checks(seen, SETTINGS)}


def breaches(seen: Observations) -> set[str]:
    return {check.name for check in checks(seen, SETTINGS) if is_breach(check)}


def one(name: str, seen: Observations) -> Check:
    return next(check for check in checks(seen, SETTINGS) if check.name == name)


def test_a_stream_that_flows_breaches_nothing() -> None:
    assert set(states(LIVE).values()) == {"ok"}


def test_of_a_stream_that_is_quiet_only_the_silence_speaks() -> None:
    assert breaches(quiet()) == {"source_silence"}
    told = states(quiet())
    assert {name for name, state in told.items() if state == "quiet"} == {
        "silver_age", "gold_age", "rejected_share", "indexer_lag_records", "indexer_lag", "searchable_age", "lake_age"
    }  # fmt: skip


def test_where_nothing_was_ever_received_only_the_silence_speaks() -> None:
    empty = quiet(raw_at=None, silver_at=None, gold_at=None)
    assert breaches(empty) == {"source_silence"}
    assert one("source_silence", empty).value is None


def test_a_serve_query_that_is_stuck_owes_silver_and_what_is_searchable_though_the_source_fell_silent() -> None:
    owed = Owed(900, ago(HOUR))
    assert breaches(log(unserved=owed)) == {"silver_age", "searchable_age"}
    assert breaches(quiet(unserved=owed)) == {"source_silence", "silver_age", "searchable_age"}
    assert one("silver_age", log(unserved=owed)).value == HOUR


def test_an_indexer_that_is_stuck_owes_what_is_searchable_and_nothing_before_it() -> None:
    stuck = log(unindexed=Owed(50_000, ago(HOUR)))
    assert breaches(stuck) == {"indexer_lag_records", "indexer_lag", "searchable_age"}
    assert breaches(log(unindexed=Owed(3, ago(HOUR)))) == {"indexer_lag", "searchable_age"}


def test_an_indexer_that_works_through_much_that_is_new_breaches_by_number_alone() -> None:
    assert breaches(log(unindexed=Owed(10_001, ago(2)))) == {"indexer_lag_records"}


def test_what_is_owed_but_not_for_long_is_no_breach_and_not_quiet() -> None:
    fresh = quiet(unserved=Owed(5, ago(2)))
    assert one("silver_age", fresh).state == "ok"


def test_silver_that_goes_on_without_documents_is_a_breach_of_gold() -> None:
    assert breaches(log(gold_at=ago(400))) == {"gold_age"}
    assert breaches(log(gold_at=None)) == {"gold_age"}


def test_a_lake_that_is_stuck_is_told_by_what_bronze_does_not_have() -> None:
    assert breaches(log(unlaked=Owed(10, ago(301)))) == {"lake_age"}


def test_many_rejected_records_are_a_breach_and_few_records_say_nothing() -> None:
    assert breaches(log(received=1000, rejected=21)) == {"rejected_share"}
    assert breaches(log(received=1000, rejected=20)) == set()
    assert states(log(received=99, rejected=99))["rejected_share"] == "quiet"


def test_frames_that_never_were_in_the_raw_topic_are_a_share_of_at_most_one() -> None:
    assert one("rejected_share", log(received=0, rejected=500)).value == 1


def test_texts_without_a_vector_are_a_breach_by_number_or_by_age() -> None:
    assert breaches(replace(LIVE, store=StoreSeen(ago(1), 1001, ago(5)))) == {"pending_embeddings"}
    assert breaches(replace(LIVE, store=StoreSeen(ago(1), 1, ago(3601)))) == {"pending_age"}


def test_small_files_that_nobody_puts_together_are_a_breach() -> None:
    assert breaches(replace(LIVE, lake=LakeSeen(ago(25), ago(25), 700, ago(7 * HOUR)))) == {"compaction_age"}


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("source_silence", lambda s: log(raw_at=ago(s))),
        ("silver_age", lambda s: log(unserved=Owed(1, ago(s)))),
        ("indexer_lag", lambda s: log(unindexed=Owed(1, ago(s)))),
        ("searchable_age", lambda s: log(unindexed=Owed(1, ago(s)))),
        ("lake_age", lambda s: log(unlaked=Owed(1, ago(s)))),
        ("gold_age", lambda s: log(silver_at=NOON, gold_at=ago(s))),
    ],
)
def test_a_threshold_may_be_reached_and_not_passed(name: str, at: Any) -> None:
    limit = one(name, LIVE).threshold
    assert limit is not None
    assert one(name, at(limit)).state == "ok"
    assert one(name, at(limit + 0.01)).state == "breach"


@pytest.mark.parametrize("part", ["log", "store", "lake"])
def test_what_cannot_be_asked_is_one_breach_with_its_reason_and_the_rest_unknown(part: str) -> None:
    away: Any = replace(LIVE, **{part: "it does not answer"})
    name = dict(zip(("log", "store", "lake"), DEPENDENCIES, strict=True))[part]
    assert breaches(away) == {name}
    unknown = [check for check in checks(away, SETTINGS) if check.state == "unknown"]
    assert len(unknown) > 1
    assert {check.detail for check in unknown} == {"it does not answer"}


def test_with_everything_away_the_same_checks_are_there() -> None:
    assert states(Observations(NOON, "away", "away", "away")).keys() == states(LIVE).keys()
    assert breaches(Observations(NOON, "away", "away", "away")) == set(DEPENDENCIES)


moments = st.none() | st.floats(-60, 1e7).map(ago)
owed = st.builds(Owed, st.integers(0, 10**9), moments)
logs = st.builds(
    LogSeen, moments, moments, moments, owed, owed, st.none() | owed, st.integers(0, 10**9), st.integers(0, 10**9)
)
observations = st.builds(
    Observations,
    st.just(NOON),
    st.just("away") | logs,
    st.just("away") | st.builds(StoreSeen, moments, st.integers(0, 10**9), moments),
    st.just("away") | st.builds(LakeSeen, moments, moments, st.integers(0, 10**6), moments),
)


@settings(deadline=None)
@given(observations)
def test_whatever_is_measured_every_check_says_something_that_holds(seen: Observations) -> None:
    found = checks(seen, SETTINGS)
    assert [check.name for check in found] == [check.name for check in checks(LIVE, SETTINGS)]
    for check in found:
        assert check.detail
        if check.value is not None and check.threshold is not None:
            assert check.value >= 0
            assert (check.state == "breach") <= (check.value > check.threshold)


@settings(deadline=None)
@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_however_long_nothing_comes_nothing_but_the_silence_breaches_when_nothing_is_owed(
    silence: float, before: float
) -> None:
    since = NOON - timedelta(seconds=min(silence, 6e10))
    seen = log(
        raw_at=since, silver_at=since, gold_at=since - timedelta(seconds=min(before, 300)), unlaked=Owed(), received=0
    )
    assert breaches(seen) <= {"source_silence"}


@settings(deadline=None)
@given(st.lists(observations, min_size=1, max_size=6))
def test_a_check_has_at_most_one_breach_that_lasts_and_each_begins_and_ends_once(story: list[Observations]) -> None:
    known: Any = []
    begun: list[Any] = []
    ended: list[Any] = []
    for number, seen in enumerate(story):
        made = step(known, checks(seen, SETTINGS), NOON + timedelta(minutes=2 * number))
        begun += [one.breach_id for one in made.begun]
        ended += [one.breach_id for one in made.ended]
        names = [one.name for one in made.lasting]
        assert len(names) == len(set(names))
        assert breaches(seen) <= set(names)
        known = made.all
    assert len(begun) == len(set(begun))
    assert len(ended) == len(set(ended))
    assert set(ended) <= set(begun)


def test_a_breach_of_what_cannot_be_measured_any_more_lasts() -> None:
    stuck = step([], checks(log(unserved=Owed(1, ago(HOUR))), SETTINGS), NOON)
    blind = step(stuck.all, checks(replace(LIVE, log="away"), SETTINGS), NOON + timedelta(minutes=2))
    assert {one.name for one in blind.lasting} == {"silver_age", "searchable_age", "kafka"}
    seen_again = step(blind.all, checks(LIVE, SETTINGS), NOON + timedelta(minutes=4))
    assert seen_again.lasting == []
    assert len(seen_again.ended) == 3


def test_a_breach_of_a_check_that_is_no_longer_made_ends() -> None:
    found = [Check("a_check_of_before", "breach", 1, "s", 0, "detail")]
    made = step(step([], found, NOON).all, checks(LIVE, SETTINGS), NOON)
    assert [one.name for one in made.ended] == ["a_check_of_before"]
