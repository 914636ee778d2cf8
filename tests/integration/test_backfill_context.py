"""Pages that were seen before are asked about, by whoever asks, and waited for. On a real Postgres."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from psycopg import Connection
from pydantic import SecretStr

from freshet.contract.pages import Description, Page
from freshet.errors import PermanentError, TransientError
from freshet.settings import Settings, load_settings
from freshet.store import context, repository, unasked
from freshet.store.context import Answered, Due, Seen
from freshet.store.unasked import Between, Wanted
from freshet.upkeep import backfill_context as work
from freshet.upkeep import pages_asked
from freshet.upkeep.backfill_context import Asked
from tests.api_builders import insert
from tests.described import FUJI, MOUNTAIN, describe
from tests.documents import NOON, document

pytestmark = pytest.mark.integration

APPLY = Asked(apply=True)
AFTER = timedelta(days=1)
Answers = Callable[[Connection, list[Due]], None]


@pytest.fixture
def settings(store: str) -> Settings:
    return load_settings(postgres_dsn=SecretStr(store))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_asked, "POLL_S", 0.02)


@contextmanager
def asking(conninfo: str, answers: Answers) -> Iterator[list[Due]]:
    """Somebody who asks about pages meanwhile. Yields what he asked about."""
    stop, asked = Event(), []

    def ask() -> None:
        with repository.connect(conninfo) as connection:
            while not stop.wait(0.01):
                if due := list(context.claim(connection, 50)):
                    asked.extend(due)
                    answers(connection, due)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join()


def knowing(connection: Connection, due: list[Due]) -> None:
    """Knows all pages but those of Ruritania."""
    said = {one.page: None if one.wiki == "xxwiki" else Description("Q1", None, "a thing", "en") for one in due}
    with connection.transaction():
        context.describe(connection, Answered(said, "Wikidata", AFTER, AFTER))


def refusing(connection: Connection, due: list[Due]) -> None:
    """Wikidata is away; the wait before the next attempt is none."""
    context.note_failure(connection, [one.page for one in due], "HTTP 503")
    connection.execute("UPDATE pages SET due_at = now() WHERE due_at IS NOT NULL")


def seen(store: str, wiki: str, pages: int, **given: Any) -> None:
    insert(store, *(document(wiki=wiki, title=f"Page {number:03}", **given) for number in range(pages)))


def done(settings: Settings, asked: Asked) -> dict[str, Any]:
    chunks = work.part(settings, asked, "plan", "run")
    for chunk in enumerate(chunks):
        work.part(settings, asked, chunk, "run")
    report: dict[str, Any] = work.part(settings, asked, "report", "run")
    return report


def test_pages_seen_before_are_asked_about_in_chunks_and_the_report_says_what_came_of_it(
    settings: Settings, store: str, connection: Connection
) -> None:
    for wiki, pages in (("enwiki", 120), ("jawiki", 30), ("xxwiki", 10)):
        seen(store, wiki, pages)
    seen(store, "enwiki", 5, event_time=NOON + AFTER)
    with asking(store, knowing) as asked:
        report = done(settings, Asked(chunk_pages=100, apply=True))
    plan = report["parts"]["plan"]
    assert (plan["pages"], plan["wikis"], plan["requests"], plan["chunks"]) == (160, 3, 4, 2)
    assert plan["estimated_seconds"] == 4
    assert [report["parts"][f"ask {number}"]["asked"] for number in range(2)] == [100, 60]
    total = report["total"]
    assert (total["described"], total["missing"], total["failing"]) == (150, 10, 0)
    assert len(asked) == 160
    assert {one.priority for one in asked} == {context.BACKFILL}
    assert context.known(connection).waiting == 0
    newest = "SELECT event_time FROM pages WHERE wiki = 'enwiki' AND title = 'Page 000'"
    assert connection.execute(newest).fetchall() == [(NOON + AFTER,)]
    assert done(settings, APPLY)["parts"]["plan"]["pages"] == 0


def test_unasked_it_only_says_what_it_would_do(settings: Settings, store: str, connection: Connection) -> None:
    seen(store, "enwiki", 3)
    assert work.part(settings, Asked(), "plan", "run") == []
    report = work.part(settings, Asked(), "report", "run")["parts"]["plan"]
    assert (report["applied"], report["pages"], report["requests"]) == (False, 3, 1)
    assert context.known(connection).pages == 0


def test_it_is_of_the_wikis_and_times_that_were_asked_for_and_of_old_answers_where_they_are(
    store: str, connection: Connection
) -> None:
    seen(store, "enwiki", 2)
    seen(store, "jawiki", 3, event_time=NOON + AFTER)
    old, deleted = Page("enwiki", "Page 000"), Page("enwiki", "Page 001")
    context.note_seen(connection, {page: Seen(NOON, NOON) for page in (old, deleted)})
    context.describe(connection, Answered({old: MOUNTAIN}, "Wikidata", timedelta(0), AFTER))
    context.forget(connection, [deleted])

    assert unasked.count(connection, Wanted()) == {"jawiki": 3}
    assert unasked.count(connection, Wanted(stale=True)) == {"enwiki": 1, "jawiki": 3}
    assert unasked.count(connection, Wanted(wikis=("enwiki",))) == {}
    assert unasked.count(connection, Wanted(until=NOON + AFTER)) == {}
    assert unasked.count(connection, Wanted(since=NOON + AFTER)) == {"jawiki": 3}
    first, second = unasked.cut(connection, Wanted(stale=True), 2)
    assert [one.title for one in unasked.within(connection, Wanted(stale=True), first)] == ["Page 000", "Page 000"]
    assert [one.title for one in unasked.within(connection, Wanted(stale=True), second)] == ["Page 001", "Page 002"]


def test_an_old_description_is_asked_for_again_and_kept_until_then(
    settings: Settings, store: str, connection: Connection
) -> None:
    insert(store, document(wiki=FUJI.wiki, title=FUJI.title))
    describe(connection, {FUJI: MOUNTAIN})
    connection.execute("UPDATE pages SET stale_at = now()")
    assert done(settings, APPLY)["parts"]["plan"]["pages"] == 0
    with asking(store, knowing):
        report = done(settings, Asked(Wanted(stale=True), apply=True))
    assert report["total"]["described"] == 1
    assert connection.execute("SELECT description FROM pages").fetchall() == [("a thing",)]


def test_a_page_that_waits_long_for_its_next_attempt_is_asked_about_at_once(
    settings: Settings, store: str, connection: Connection
) -> None:
    insert(store, document(wiki=FUJI.wiki, title=FUJI.title))
    context.note_seen(connection, {FUJI: Seen(NOON, NOON)})
    for _ in range(12):
        context.note_failure(connection, [FUJI], "HTTP 503")
    with asking(store, knowing):
        assert done(settings, APPLY)["total"]["described"] == 1


def test_pages_that_cannot_be_asked_about_are_counted_and_waited_for_no_longer(settings: Settings, store: str) -> None:
    seen(store, "enwiki", 5)

    def half(connection: Connection, due: list[Due]) -> None:
        odd = [one for one in due if one.title >= "Page 003"]
        knowing(connection, [one for one in due if one not in odd])
        refusing(connection, odd)

    with asking(store, half):
        report = done(settings, APPLY)["parts"]["ask 0"]
    assert (report["described"], report["failing"], report["error"]) == (3, 2, "HTTP 503")


def test_where_nobody_answers_the_error_that_pages_have_is_said(settings: Settings, store: str) -> None:
    seen(store, "enwiki", 5)
    with asking(store, refusing), pytest.raises(TransientError, match=r"none of 5 pages .*: HTTP 503"):
        done(settings, APPLY)


def test_where_nothing_moves_it_gives_up_and_says_where_to_look(
    settings: Settings, store: str, connection: Connection
) -> None:
    seen(store, "enwiki", 5)
    (chunk,) = unasked.cut(connection, Wanted(), 10)
    pages = unasked.within(connection, Wanted(), chunk)
    context.note_seen(connection, {one.page: Seen(NOON, NOON) for one in pages}, context.BACKFILL)
    minutes = count()
    with pytest.raises(TransientError, match=r"for 6 minutes, and 5 pages wait: does who is asked answer\?"):
        pages_asked.wait(connection, pages, lambda: 60.0 * next(minutes))

    context.note_seen(connection, {FUJI: Seen(NOON, NOON)})
    context.note_failure(connection, [FUJI], "HTTP 429")
    with pytest.raises(TransientError, match="5 pages wait: the error they have: HTTP 429"):
        pages_asked.wait(connection, pages, lambda: 60.0 * next(minutes))


def test_as_long_as_others_are_answered_before_it_waits(store: str, connection: Connection) -> None:
    seen(store, "enwiki", 1)
    pages = unasked.within(connection, Wanted(), Between())
    context.note_seen(connection, {one.page: Seen(NOON, NOON) for one in pages}, context.BACKFILL)
    minutes = count()

    def clock() -> float:
        minute = next(minutes)
        if minute < 20:
            describe(connection, {Page("jawiki", str(minute)): MOUNTAIN})
        elif minute == 20:
            describe(connection, {pages[0].page: MOUNTAIN})
        return 60.0 * minute

    assert pages_asked.wait(connection, pages, clock).described == 1


def test_where_nobody_is_asked_it_fails_at_once(store: str) -> None:
    settings = load_settings(postgres_dsn=SecretStr(store), context_source="none")
    with pytest.raises(PermanentError, match="FRESHET_CONTEXT_SOURCE is none"):
        work.plan(settings, APPLY)


def test_the_parameters_of_the_dag_say_what_is_asked() -> None:
    given = {"since": "2026-11-23T12:00:00Z", "until": None, "wikis": ["jawiki"], "stale": True, "chunk_pages": 7}
    asked = work.asked({**given, "dry_run": False})
    assert asked == Asked(Wanted(NOON, None, ("jawiki",), stale=True), 7, apply=True)
    with pytest.raises(PermanentError, match="names no time zone"):
        work.asked({**given, "since": "2026-11-23T12:00:00", "dry_run": True})
