"""What becomes of pages that were claimed, by a store and a source that are no more than lists."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from threading import Event
from typing import cast

import pytest
from prometheus_client import REGISTRY

from context.asking import Asker, Keeping
from context.failures import NotAnsweredError, Outcome
from context.pace import Pace
from context.store import Store
from context.wikidata import Reply
from freshet.contract.pages import Description, Page
from freshet.store.context import NEW, Answered, Due, Waiting

PAGES = [Page("enwiki", "A"), Page("dewiki", "B"), Page("enwiki", "C")]
SAID = Description("Q1", None, "a page", "en")
KEPT = Keeping(timedelta(days=30), timedelta(hours=24))


@dataclass
class Pages:
    """Pages that are due, and what was done with them."""

    due: list[Page]
    mine: bool = True
    described: dict[Page, Description | None] = field(default_factory=dict)
    failed: dict[Page, str] = field(default_factory=dict)
    released: list[Page] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)
    claimed: Callable[[], None] = lambda: None

    def take_turn(self) -> bool:
        return self.mine

    def waiting(self) -> Waiting:
        return Waiting(len(self.due), None)

    def claim(self, limit: int, wiki: str | None = None) -> Sequence[Due]:
        taken = [page for page in self.due if wiki in (None, page.wiki)][:limit]
        self.due = [page for page in self.due if page not in taken]
        self.claimed()
        return [Due(*page, datetime.now(UTC), NEW) for page in taken]

    def describe(self, answered: Answered) -> None:
        self.described |= answered.pages
        self.origins.add(answered.origin)

    def note_failure(self, pages: Collection[Page], error: str) -> None:
        self.failed |= dict.fromkeys(pages, error)

    def release(self, pages: Collection[Page]) -> None:
        self.released += pages

    def close(self) -> None:
        pass


@dataclass
class Source:
    """Answers by a function, and stops whoever asks when there is nothing left."""

    answer: Callable[[Sequence[Page]], dict[Page, Description | None]]
    most: int = 50
    asked: list[list[Page]] = field(default_factory=list)

    def fitting(self, pages: Sequence[Page]) -> int:
        return min(self.most, len(pages))

    def ask(self, pages: Sequence[Page]) -> Reply:
        self.asked.append(list(pages))
        return Reply(self.answer(pages), "simulated")


def ask(store: Pages, source: Source, requests: int) -> None:
    """Let so many requests be made."""
    stop = Event()
    answer = source.answer

    def counted(pages: Sequence[Page]) -> dict[Page, Description | None]:
        if len(source.asked) >= requests:
            stop.set()
        return answer(pages)

    source.answer = counted
    pace = Pace(60_000, first_wait_s=0.001)
    Asker(cast(Store, store), source, pace, KEPT, lambda: True).run(stop)


def known(pages: Sequence[Page]) -> dict[Page, Description | None]:
    return dict.fromkeys(pages, SAID)


def refusing(outcome: Outcome) -> Callable[[Sequence[Page]], dict[Page, Description | None]]:
    def refuse(_: Sequence[Page]) -> dict[Page, Description | None]:
        raise NotAnsweredError(outcome, "it says no")

    return refuse


def test_what_is_answered_is_kept_and_what_is_not_is_tried_again() -> None:
    store = Pages([*PAGES])
    ask(store, Source(lambda pages: {pages[0]: SAID, pages[1]: None}), 1)
    assert store.described == {PAGES[0]: SAID, PAGES[1]: None}
    assert store.origins == {"simulated"}
    assert store.failed == {PAGES[2]: "not in the answer"}


def test_what_does_not_fit_into_a_request_is_given_back() -> None:
    store = Pages([*PAGES])
    ask(store, Source(known, most=2), 1)
    assert set(store.described) == set(PAGES[:2])
    assert store.released == PAGES[2:]


def test_what_is_claimed_when_it_is_told_to_stop_is_given_back_unasked() -> None:
    stop, store, source = Event(), Pages([*PAGES]), Source(known)
    store.claimed = stop.set
    Asker(cast(Store, store), source, Pace(60_000), KEPT, lambda: True).run(stop)
    assert (store.released, source.asked) == (PAGES, [])


@pytest.mark.parametrize("outcome", [Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.MAXLAG, Outcome.UNREACHABLE])
def test_pages_are_not_blamed_for_what_the_server_asks_for(outcome: Outcome) -> None:
    store = Pages([*PAGES])
    ask(store, Source(refusing(outcome)), 1)
    assert (store.released, store.failed) == (PAGES, {})


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.BROKEN, Outcome.WRONG, Outcome.ERROR])
def test_pages_of_a_broken_answer_wait_longer(outcome: Outcome) -> None:
    store = Pages([*PAGES])
    ask(store, Source(refusing(outcome)), 1)
    assert set(store.failed) == set(PAGES)
    assert not store.released


def test_after_pairs_were_refused_one_wiki_is_asked_about_at_a_time() -> None:
    store = Pages([*PAGES])

    def one_wiki(pages: Sequence[Page]) -> dict[Page, Description | None]:
        if len({page.wiki for page in pages}) > 1:
            store.due += pages
            raise NotAnsweredError(Outcome.ILLEGAL, "params-illegal")
        return known(pages)

    source = Source(one_wiki)
    ask(store, source, 3)
    assert source.asked == [PAGES, [PAGES[0], PAGES[2]], [PAGES[1]]]
    assert not store.failed


def test_a_name_that_no_page_can_have_is_not_asked_about() -> None:
    store, source = Pages([Page("enwiki", "a\x1fb"), *PAGES]), Source(known)
    ask(store, source, 1)
    assert source.asked == [PAGES]
    assert store.described[Page("enwiki", "a\x1fb")] is None


def test_the_breaker_is_shown_while_it_is_open() -> None:
    def paused() -> float | None:
        return REGISTRY.get_sample_value("freshet_context_paused", {"outcome": "throttled"})

    store = Pages([Page("enwiki", str(number)) for number in range(500)])
    ask(store, Source(refusing(Outcome.THROTTLED)), 4)
    assert not paused()
    ask(store, Source(refusing(Outcome.THROTTLED)), 5)
    assert paused() == 1
    ask(store, Source(known), 1)
    assert not paused()


def test_whose_turn_it_is_not_asks_nothing() -> None:
    stop, store, source = Event(), Pages([*PAGES], mine=False), Source(known)

    def not_mine() -> bool:
        stop.set()
        return False

    store.take_turn = not_mine  # type: ignore[method-assign]
    Asker(cast(Store, store), source, Pace(60_000), KEPT, lambda: True).run(stop)
    assert (source.asked, store.due) == ([], PAGES)


class Clock(datetime):
    """A wall clock that tests put back and forward."""

    put_by = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Clock":
        return cls.fromtimestamp(datetime.now(tz).timestamp() + cls.put_by.total_seconds(), tz)


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
def test_whatever_a_clock_does_pages_are_asked_about_and_no_age_is_negative(
    monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    monkeypatch.setattr("context.asking.datetime", Clock)
    monkeypatch.setattr(Clock, "put_by", jump)
    monkeypatch.setattr(Pages, "waiting", lambda pages: Waiting(len(pages.due), datetime.now(UTC)))
    took = "freshet_context_received_to_described_seconds_sum"
    before = REGISTRY.get_sample_value(took) or 0
    store = Pages([*PAGES])
    ask(store, Source(known), 1)
    assert store.described == known(PAGES)
    assert (REGISTRY.get_sample_value("freshet_context_waiting_seconds") or 0) >= 0
    assert (REGISTRY.get_sample_value(took) or 0) >= before
