"""The pages of the store: what is asked about, when, and what is kept of the answer. On a real Postgres."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pgvector import HalfVector
from psycopg import Connection

from freshet.contract.pages import Description, Page
from freshet.store import context, context_share, embeddings
from freshet.store.context import Answered, Seen
from tests.api_builders import insert
from tests.documents import document

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ETNA = Page("enwiki", "Etna")
FUJI = Page("jawiki", "富士山")


def see(connection: Connection, *pages: Page, at: datetime = NOW, priority: int = context.NEW) -> int:
    return context.note_seen(connection, {page: Seen(at, at) for page in pages}, priority)


def answer(connection: Connection, said: dict[Page, Description | None], *, stale_after: float = 1000) -> None:
    after = timedelta(seconds=stale_after)
    with connection.transaction():
        context.describe(connection, Answered(said, "Wikidata", after, after))


def waiting(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT content_hash, text FROM pending_embeddings WHERE texts = 'pages' ORDER BY text"
    ).fetchall()


def due(connection: Connection, limit: int = 50) -> Sequence[Page]:
    return [one.page for one in context.claim(connection, limit)]


@pytest.fixture(autouse=True)
def _model(connection: Connection) -> None:
    embeddings.add_embedding_model(connection, "bag-of-words", 64)


def test_a_page_is_asked_about_once_and_its_text_waits_for_a_vector(connection: Connection) -> None:
    assert see(connection, ETNA) == 0
    assert context.waiting(connection) == context.Waiting(1, NOW)
    assert due(connection) == [ETNA]
    assert due(connection) == []

    answer(connection, {ETNA: Description("Q16990", "Mount Etna", "volcano in Sicily", "en")})
    (row,) = waiting(connection)
    assert row[1] == "Etna, Mount Etna: volcano in Sicily"
    assert see(connection, ETNA) == 1
    assert context.waiting(connection) == context.Waiting(0, None)
    assert due(connection) == []
    assert context.known(connection) == context.Known(1, 1, 0, 0, 0, None, 1)


def test_a_page_of_which_nothing_is_known_is_left_alone_for_a_while_and_asked_again_when_it_is_edited(
    connection: Connection,
) -> None:
    see(connection, ETNA)
    context.claim(connection, 1)
    answer(connection, {ETNA: None}, stale_after=0)
    assert waiting(connection) == []
    assert context.known(connection).missing == 1
    assert due(connection) == []

    assert see(connection, ETNA, at=NOW + timedelta(hours=1)) == 0
    (again,) = context.claim(connection, 1)
    assert (again.page, again.priority, again.asked_since) == (ETNA, context.STALE, NOW + timedelta(hours=1))


def test_small_wikis_take_turns_with_large_ones_and_new_pages_go_before_a_backfill(connection: Connection) -> None:
    see(connection, *(Page("enwiki", f"Old {number}") for number in range(5)), priority=context.BACKFILL)
    see(connection, *(Page("enwiki", f"New {number}") for number in range(20)))
    see(connection, FUJI, Page("nowiki", "Galdhøpiggen"))

    first = due(connection, 4)
    assert {page.wiki for page in first} == {"enwiki", "jawiki", "nowiki"}
    assert not any(page.title.startswith("Old") for page in [*first, *due(connection, 18)])
    assert {page.title for page in due(connection)} == {f"Old {number}" for number in range(5)}


def test_a_backfilled_page_that_is_edited_meanwhile_is_asked_about_before_the_others(connection: Connection) -> None:
    see(connection, ETNA, FUJI, priority=context.BACKFILL)
    see(connection, FUJI)
    assert due(connection, 1) == [FUJI]


def test_a_text_that_stays_as_it_was_gets_no_vector_again(connection: Connection) -> None:
    said = Description("Q16990", None, "volcano in Sicily", "en")
    see(connection, ETNA)
    answer(connection, {ETNA: said}, stale_after=0)
    connection.execute("DELETE FROM pending_embeddings")
    see(connection, ETNA)
    answer(connection, {ETNA: said})
    assert waiting(connection) == []


def test_what_could_not_be_asked_is_tried_again_later_each_time(connection: Connection) -> None:
    def wait() -> float:
        row = connection.execute("SELECT extract(epoch FROM due_at - now()) FROM pages").fetchone()
        return float(row[0]) if row else 0

    see(connection, ETNA)
    waits = []
    for _ in range(3):
        context.note_failure(connection, [ETNA], "HTTP 503")
        waits.append(wait())
    assert waits == sorted(waits)
    assert waits[2] >= 2 * waits[0]
    assert due(connection) == []
    assert context.known(connection).failing == 1

    context.release(connection, [ETNA])
    assert due(connection) == [ETNA]


def test_what_is_known_goes_with_a_page_to_its_new_title_and_stays_with_its_edits_before(
    connection: Connection,
) -> None:
    see(connection, ETNA)
    answer(connection, {ETNA: Description("Q16990", "Mount Etna", "volcano in Sicily", "en")})
    with connection.transaction():
        context.move(connection, "enwiki", "Etna", "Etna (volcano)", NOW)

    rows = connection.execute("SELECT title, text, moved_to FROM pages ORDER BY title").fetchall()
    assert rows == [
        ("Etna", "Etna, Mount Etna: volcano in Sicily", "Etna (volcano)"),
        ("Etna (volcano)", "Etna (volcano), Mount Etna: volcano in Sicily", None),
    ]
    assert {text for _, text in waiting(connection)} == {text for _, text, _ in rows}
    assert see(connection, Page("enwiki", "Etna (volcano)")) == 0
    assert due(connection) == [Page("enwiki", "Etna (volcano)")]


def test_a_page_that_is_moved_without_being_known_is_nothing_to_keep(connection: Connection) -> None:
    with connection.transaction():
        context.move(connection, "enwiki", "Etna", "Etna (volcano)", NOW)
    assert context.known(connection).pages == 0


def test_of_a_deleted_page_nothing_is_known_until_it_is_edited_again(connection: Connection) -> None:
    see(connection, ETNA, FUJI)
    answer(connection, {ETNA: Description("Q16990", "Mount Etna", "volcano in Sicily", "en")})
    assert context.forget(connection, [ETNA]) == 1
    assert context.known(connection).described == 0
    assert due(connection) == [FUJI]

    see(connection, ETNA)
    assert due(connection) == [ETNA]


def test_a_text_that_is_an_edits_as_well_has_its_own_turn(connection: Connection) -> None:
    see(connection, ETNA)
    answer(connection, {ETNA: Description("Q16990", None, "volcano", "en")})
    ((content_hash, text),) = waiting(connection)
    embeddings.put_pending(connection, "bag-of-words", {content_hash: text}, "the provider is away")

    assert embeddings.count_pending(connection, "bag-of-words") == 1
    assert embeddings.count_pending(connection, "bag-of-words", "pages") == 1
    table = embeddings.VectorTable("bag-of-words", "page_embeddings_bag_of_words", "pages")
    assert embeddings.claim_pending(connection, table, 5) == {content_hash: text}


def test_it_is_told_of_how_many_edits_the_page_is_known_and_how_long_that_took(
    store: str, connection: Connection
) -> None:
    received = {"received_at": NOW, "searchable_at": NOW + timedelta(milliseconds=50)}
    insert(
        store,
        document(doc_id="etna", title="Etna", **received),
        document(doc_id="unknown", title="Unknown", **received),
        document(doc_id="not asked", title="Not asked", **received),
    )
    see(connection, ETNA, Page("enwiki", "Unknown"))
    answer(connection, {ETNA: Description("Q16990", None, "volcano in Sicily", "en"), Page("enwiki", "Unknown"): None})
    assert context_share.unfinished(connection) == 2

    vector = {"vector": HalfVector([1.0] + [0.0] * 63).to_text(), "at": NOW + timedelta(seconds=2)}
    connection.execute(
        "INSERT INTO page_embeddings_bag_of_words SELECT content_hash, %(vector)s::halfvec, %(at)s FROM pages"
        " WHERE content_hash IS NOT NULL",
        vector,
    )
    assert context_share.unfinished(connection) == 1
    seen = context_share.share(connection, NOW, NOW + timedelta(seconds=1))
    assert (seen.documents, seen.answered, seen.found_by_page) == (3, 2, 1)
    assert (seen.p50, seen.p95) == (2000, 2000)
    assert context_share.share(connection, NOW - timedelta(hours=1), NOW).documents == 0
