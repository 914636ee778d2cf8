"""What pages are about, between a real broker, a real Postgres and the stand-in for Wikidata."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY

from freshet.context_source import PATH, Origin
from freshet.contract import topics
from freshet.contract.pages import Page, page_text
from freshet.environment import environment_of
from freshet.settings import CHECKOUT, Settings
from freshet.store.migrate import migrate
from local.wikidata.app import Wikidata
from local.wikidata.faults import Fault
from local.wikidata.items import Item, Knowledge
from tests.describing import PER_MINUTE, at_the_end, behind, describing, put
from tests.documents import gold
from tests.serving import listening
from tests.stacks import eventually

pytestmark = pytest.mark.integration

PATIENCE_S = 60
MANY = [Page("enwiki" if number % 3 else f"w{number}wiki", f"Page {number}") for number in range(120)]
ITEMS = {
    Page("itwiki", "Etna"): Item("Q16990", "Mount Etna", "volcano in Sicily"),
    **{page: Item(f"Q{number + 1}", None, f"subject {number}") for number, page in enumerate(MANY)},
}


@pytest.fixture
def wikidata() -> Iterator[tuple[Wikidata, str]]:
    """The stand-in and its address."""
    stand_in = Wikidata(Knowledge(ITEMS, Origin.RECORDED), retry_after="")
    with listening(stand_in) as (_, address):
        yield stand_in, address + PATH


@pytest.fixture(autouse=True)
def _nothing_before(settings: Settings, database: str) -> None:
    migrate(database)
    eventually(lambda: at_the_end(settings))


def rows(database: str, query: str) -> list[Any]:
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode()).fetchall()


def described(database: str) -> set[Page]:
    return {Page(*row) for row in rows(database, "SELECT wiki, title FROM pages WHERE text IS NOT NULL")}


def edits(*pages: Page, **given: Any) -> list[dict[str, Any] | bytes]:
    now = datetime.now(UTC)
    return [gold(wiki=page.wiki, title=page.title, event_time=now, received_at=now, **given) for page in pages]


def log_event(settings: Settings, page: Page, kind: str, action: str, params: Any = ()) -> None:
    """The event as it was received, and as silver has it."""
    raw = {"wiki": page.wiki, "title": page.title, "log_type": kind, "log_action": action, "log_params": params}
    ((partition, offset),) = put(settings, topics.RAW, [raw])
    place = {"raw_topic": topics.RAW, "raw_partition": partition, "raw_offset": offset}
    event = {"wiki": page.wiki, "title": page.title, "type": "log", "log_type": kind, "log_action": action}
    put(settings, topics.SILVER, [{**event, **place, "event_time": datetime.now(UTC)}])


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def evenly_asked(stand_in: Wikidata) -> None:
    """Nothing was asked in parallel, and nothing sooner than the rate allows."""
    assert stand_in.counts.most_at_once == 1
    gaps = [after - before for before, after in pairwise(stand_in.counts.times)]
    # the moment between sending and receiving differs, on a busy machine by much
    assert min(gaps) > 0.4 * 60 / PER_MINUTE, gaps
    assert len(gaps) <= 1 + (stand_in.counts.times[-1] - stand_in.counts.times[0]) * PER_MINUTE / 60


def test_the_page_of_an_edit_is_described_and_of_a_page_without_an_item_that_is_known(
    settings: Settings, database: str, wikidata: tuple[Wikidata, str]
) -> None:
    stand_in, url = wikidata
    etna, draft = Page("itwiki", "Etna"), Page("enwiki", "Nobody | knows")
    timed = metric("freshet_context_received_to_described_seconds_count")
    with describing(settings, database, url):
        put(settings, topics.GOLD, [*edits(etna, draft, etna), b"{", *edits(MANY[0], source=topics.BACKFILL)])
        put(settings, topics.GOLD, [{"doc_id": "gone", "deleted": True}])
        eventually(lambda: rows(database, "SELECT count(fetched_at) FROM pages") == [(3,)])
        eventually(lambda: behind(settings) == 0)
    found = rows(database, "SELECT title, origin, item_id, label, description, due_at FROM pages ORDER BY wiki")
    assert found == [
        ("Nobody | knows", "recorded descriptions", None, None, None, None),
        ("Etna", "recorded descriptions", "Q16990", "Mount Etna", "volcano in Sicily", None),
        ("Page 0", "recorded descriptions", "Q1", None, "subject 0", None),
    ]
    assert all(agent.startswith("Freshet/") for agent in stand_in.counts.user_agents)
    assert stand_in.counts.asked["maxlag"] == "5"
    assert metric("freshet_context_received_to_described_seconds_count") - timed == 1


@pytest.mark.parametrize("fault", [Fault.LIMITED, Fault.BUSY, Fault.MAXLAG, Fault.READONLY])
def test_while_the_source_asks_for_patience_edits_are_heard_and_afterwards_all_are_described_without_a_burst(
    settings: Settings, database: str, wikidata: tuple[Wikidata, str], fault: Fault
) -> None:
    stand_in, url = wikidata
    stand_in.fault = fault
    with describing(settings, database, url):
        put(settings, topics.GOLD, edits(*MANY[:60]))
        eventually(lambda: len(stand_in.counts.times) >= 6)
        put(settings, topics.GOLD, edits(*MANY[60:]))
        eventually(lambda: behind(settings) == 0)
        assert sum(metric("freshet_context_paused", outcome=name) for name in OUTCOMES) == 1
        assert rows(database, "SELECT max(attempts) FROM pages WHERE text IS NULL") == [(0,)]
        stand_in.fault = Fault.NONE
        eventually(lambda: described(database) == set(MANY))
    evenly_asked(stand_in)


OUTCOMES = ("throttled", "unavailable", "maxlag", "readonly")


def test_whatever_a_broken_answer_is_its_pages_are_asked_about_again(
    settings: Settings, database: str, wikidata: tuple[Wikidata, str]
) -> None:
    stand_in, url = wikidata
    faults = [Fault.HANG, Fault.TRUNCATED, Fault.CUT, Fault.TYPES, Fault.WRONG, Fault.HTML, Fault.ERROR, Fault.SILENT]
    with describing(settings, database, url, context_timeout_s=0.3):
        stand_in.fault = faults[0]
        put(settings, topics.GOLD, edits(*MANY))
        for number, fault in enumerate([*faults[1:], Fault.NONE], start=1):
            eventually(lambda wanted=number: len(stand_in.counts.times) >= wanted)
            stand_in.fault = fault
        eventually(lambda: described(database) == set(MANY))
        assert behind(settings) == 0
    evenly_asked(stand_in)
    assert rows(database, "SELECT count(*) FROM pages WHERE description LIKE 'subject %'") == [(len(MANY),)]


def test_a_server_that_takes_no_pairs_is_asked_about_one_wiki_at_a_time(
    settings: Settings, database: str, wikidata: tuple[Wikidata, str]
) -> None:
    stand_in, url = wikidata
    stand_in.fault = Fault.NO_PAIRS
    refused = metric("freshet_context_requests_total", outcome="illegal")
    pages = [page for page in MANY if page.wiki == "enwiki"][:20] + MANY[:6]
    with describing(settings, database, url):
        put(settings, topics.GOLD, edits(*pages))
        eventually(lambda: described(database) == set(pages))
    assert metric("freshet_context_requests_total", outcome="illegal") - refused == 1
    evenly_asked(stand_in)


def test_what_is_known_follows_a_move_and_is_forgotten_with_a_deletion(
    settings: Settings, database: str, wikidata: tuple[Wikidata, str]
) -> None:
    _, url = wikidata
    etna, kept = Page("itwiki", "Etna"), MANY[1]
    with describing(settings, database, url):
        put(settings, topics.GOLD, edits(etna, kept))
        eventually(lambda: described(database) == {etna, kept})
        log_event(settings, etna, "move", "move", {"target": "Etna_(vulcano)", "noredir": "0"})
        eventually(lambda: Page("itwiki", "Etna (vulcano)") in described(database))
        log_event(settings, etna, "delete", "delete_redir")
        eventually(lambda: etna not in described(database))
        for kind, action in (("delete", "restore"), ("delete", "revision"), ("move", "move"), ("block", "block")):
            log_event(settings, kept, kind, action)
        eventually(lambda: behind(settings) == 0)
    assert described(database) == {Page("itwiki", "Etna (vulcano)"), kept}
    moved = rows(database, "SELECT text FROM pages WHERE title = 'Etna (vulcano)'")
    assert moved == [(page_text("Etna (vulcano)", "Mount Etna", "volcano in Sicily"),)]


def test_two_processes_never_ask_at_once_and_the_other_goes_on_when_one_ends(
    settings: Settings, database: str, wikidata: tuple[Wikidata, str]
) -> None:
    stand_in, url = wikidata
    # longer than it takes to find that pages are due: two who ask would meet
    stand_in.delay_s = 0.6
    with describing(settings, database, url):
        with describing(settings, database, url):
            put(settings, topics.GOLD, edits(*MANY[:100]))
            eventually(lambda: described(database) == set(MANY[:100]))
        put(settings, topics.GOLD, edits(*MANY[100:]))
        eventually(lambda: described(database) == set(MANY))
    evenly_asked(stand_in)


@contextmanager
def away(postgres: str, database: str) -> Iterator[None]:
    """Nobody gets at the database until the block ends."""
    name = database.rsplit("/", 1)[1]
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        yield
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_nothing_is_lost_while_postgres_is_away(
    settings: Settings, postgres: str, database: str, wikidata: tuple[Wikidata, str]
) -> None:
    _, url = wikidata
    with describing(settings, database, url):
        put(settings, topics.GOLD, edits(MANY[0]))
        eventually(lambda: described(database) == {MANY[0]} and behind(settings) == 0)
        with away(postgres, database):
            put(settings, topics.GOLD, edits(*MANY[1:9]))
            eventually(lambda: metric("freshet_ready") == 0)
            assert behind(settings) == 8
        eventually(lambda: described(database) == set(MANY[:9]))
        eventually(lambda: behind(settings) == 0 and metric("freshet_ready") == 1)


@pytest.mark.parametrize("source", ["none", ""])
def test_a_process_is_ready_and_ends_well_with_a_source_and_without(
    settings: Settings, database: str, wikidata: tuple[Wikidata, str], source: str
) -> None:
    given = {"FRESHET_POSTGRES_DSN": database, "FRESHET_CONTEXT_SOURCE": source or wikidata[1]}
    environment = {**os.environ, **environment_of(settings), **given}
    child = subprocess.Popen([sys.executable, "-m", "context"], cwd=CHECKOUT, env=environment, stderr=subprocess.PIPE)
    address = f"http://127.0.0.1:{settings.context_metrics_port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{address}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        eventually(is_ready)
        if not source:
            put(settings, topics.GOLD, edits(MANY[0]))
            eventually(lambda: described(database) == {MANY[0]})
        page = httpx.get(f"{address}/metrics", trust_env=False).text
        assert "freshet_context_" in page
        assert "freshet_indexer_" not in page
        child.terminate()
        _, said = child.communicate(timeout=PATIENCE_S)
    finally:
        child.kill()
    assert child.returncode == 0
    words = [json.loads(line)["event"] for line in said.splitlines()]
    assert ("idle: nobody describes pages, by FRESHET_CONTEXT_SOURCE" in words) is bool(source)
