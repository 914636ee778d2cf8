"""The audit's comparison: it balances when it should, and names whatever is lost or doubled."""

from collections import Counter
from collections.abc import Callable

import pytest

from local.audit.balance import balance
from local.audit.ledger import Books, Coordinates, Record, Served, identify


def good_books() -> Books:
    """Four raw records: a document, an event that is none, a repeat of the first, and one the transform rejected."""
    at = [Coordinates(0, offset) for offset in range(5)]
    return Books(
        raw={
            at[0]: Record("a", False),
            at[1]: Record("b", False),
            at[2]: Record("a", False),
            at[3]: Record(None, False),
            at[4]: Record("c", True),
        },
        bronze=Counter(at),
        silver=Counter(["a", "b"]),
        silver_at={"a": at[0], "b": at[1]},
        belongs_in_gold={"a"},
        gold=Counter(["a"]),
        rejected=Counter([at[3]]),
        dead_letters=Counter([Coordinates(1, 0)]),
        silver_topic={"a", "b"},
        gold_topic={"a"},
        rejected_topic={at[3]},
        dead_letter_topic={Coordinates(1, 0): "frame"},
        documents=Counter(["a"]),
        embedded={"a"},
        served=Served(frozenset({"a", "b"}), canaries=0, malformed=1),
    )


def test_whole_books_balance_and_every_record_is_counted_once() -> None:
    report = balance(good_books())
    assert report.balanced, report.imbalances
    counts = report.counts
    fates = ("silver", "rejected by the transform", "canaries in raw", "duplicates in raw")
    assert counts["raw"] == 5 == sum(counts[name] for name in fates)


def lose_from_bronze(books: Books) -> None:
    del books.bronze[Coordinates(0, 1)]


def double_in_bronze(books: Books) -> None:
    books.bronze[Coordinates(0, 1)] += 1


def lose_from_silver(books: Books) -> None:
    del books.silver["b"]
    del books.silver_at["b"]


def double_in_silver(books: Books) -> None:
    books.silver["b"] += 1


def lose_from_gold(books: Books) -> None:
    del books.gold["a"]


def add_to_gold(books: Books) -> None:
    books.gold["b"] += 1


def lose_a_document(books: Books) -> None:
    del books.documents["a"]


def lose_an_embedding(books: Books) -> None:
    books.embedded.clear()


def lose_a_rejection(books: Books) -> None:
    books.rejected.clear()
    books.rejected_topic.clear()


def double_a_rejection(books: Books) -> None:
    books.rejected[Coordinates(0, 3)] += 1


def lose_from_the_stream(books: Books) -> None:
    books.served = Served(frozenset({"a", "b", "z"}), 0, 1)


def lose_a_malformed_frame(books: Books) -> None:
    books.served = Served(frozenset({"a", "b"}), 0, 2)


def lose_a_dead_letter(books: Books) -> None:
    books.dead_letters.clear()


def lose_from_the_gold_topic(books: Books) -> None:
    books.gold_topic.clear()


def lose_from_the_silver_topic(books: Books) -> None:
    books.silver_topic.remove("b")


def add_to_the_silver_topic(books: Books) -> None:
    books.silver_topic.add("y")


def lose_from_the_rejected_topic(books: Books) -> None:
    books.rejected_topic.clear()


def add_to_the_rejected_topic(books: Books) -> None:
    books.rejected_topic.add(Coordinates(0, 2))


@pytest.mark.parametrize(
    ("harm", "store", "kind", "named"),
    [
        (lose_from_bronze, "bronze", "missing", "0:1"),
        (double_in_bronze, "bronze", "doubled", "0:1"),
        (lose_from_silver, "silver or rejected", "missing", "0:1 b"),
        (double_in_silver, "silver", "doubled", "b"),
        (lose_from_gold, "gold", "missing", "a"),
        (add_to_gold, "gold", "unexpected", "b"),
        (lose_a_document, "documents", "missing", "a"),
        (lose_an_embedding, "embeddings", "missing", "a"),
        (lose_a_rejection, "silver or rejected", "missing", "0:3 None"),
        (double_a_rejection, "rejected", "doubled", "0:3"),
        (lose_from_the_stream, "topic wiki.raw", "missing", "z"),
        (lose_a_malformed_frame, "topic wiki.rejected", "missing", "malformed frames have no id"),
        (lose_a_dead_letter, "rejected (dead letters of the producer)", "missing", "1:0"),
        (lose_from_the_gold_topic, "topic wiki.gold", "missing", "a"),
        (lose_from_the_silver_topic, "topic wiki.silver", "missing", "b"),
        (add_to_the_silver_topic, "topic wiki.silver", "unexpected", "y"),
        (lose_from_the_rejected_topic, "topic wiki.rejected", "missing", "0:3"),
        (add_to_the_rejected_topic, "topic wiki.rejected", "unexpected", "0:2"),
    ],
)
def test_what_is_lost_or_doubled_is_named(harm: Callable[[Books], None], store: str, kind: str, named: str) -> None:
    books = good_books()
    harm(books)
    report = balance(books)
    assert not report.balanced
    assert (store, kind, (named,)) in [(row.store, row.kind, row.ids) for row in report.imbalances]


def test_what_a_replay_moved_between_silver_and_rejected_may_be_on_the_other_topic() -> None:
    books = good_books()
    books.silver_topic.remove("b")
    books.rejected_topic.add(Coordinates(0, 1))
    report = balance(books)
    assert report.balanced, report.imbalances
    books = good_books()
    lose_from_silver(books)
    books.rejected[Coordinates(0, 1)] += 1
    report = balance(books)
    assert report.balanced, report.imbalances


def test_what_was_removed_is_told_apart_and_not_lost() -> None:
    books = good_books()
    books.removed = {"a"}
    lose_a_document(books)
    report = balance(books)
    assert report.balanced, report.imbalances
    assert (report.counts["removed"], report.counts["removed and waiting in the lake"]) == (0, 1)
    for layer in (books.silver, books.gold):
        del layer["a"]
    del books.silver_at["a"]
    report = balance(books)
    assert report.balanced, report.imbalances
    # the record, and its copy
    assert (report.counts["removed"], report.counts["removed and waiting in the lake"]) == (2, 0)


def test_what_was_removed_and_is_still_shown_is_an_imbalance() -> None:
    books = good_books()
    books.removed = {"a"}
    assert [str(one) for one in balance(books).imbalances] == ["documents: 1 removed and still there: a"]


def test_by_hand_bronze_and_the_rejected_may_lack_it_and_nothing_else() -> None:
    books = good_books()
    books.removed = books.removed_by_hand = {"b"}
    books.removed_places = {Coordinates(0, 3)}
    lose_from_silver(books)
    del books.bronze[Coordinates(0, 1)]
    del books.bronze[Coordinates(0, 3)]
    books.rejected.clear()
    report = balance(books)
    assert report.balanced, report.imbalances
    assert report.counts["removed"] == 2
    books.removed_by_hand = set()
    assert [str(one) for one in balance(books).imbalances] == ["bronze: 1 missing: 0:1"]


def test_what_was_removed_by_hand_and_let_go_by_the_broker_was_served_all_the_same() -> None:
    books = good_books()
    books.removed = {"b"}
    lose_from_silver(books)
    del books.raw[Coordinates(0, 1)]
    del books.bronze[Coordinates(0, 1)]
    books.silver_topic.remove("b")
    assert balance(books).balanced, balance(books).imbalances


def test_an_embedding_that_is_pending_is_counted_and_no_imbalance() -> None:
    books = good_books()
    books.embedded.clear()
    books.pending.add("a")
    report = balance(books)
    assert report.balanced
    assert report.counts["documents whose embedding is pending"] == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"meta": {"id": "x", "domain": "en.wikipedia.org"}}', Record("x", False)),
        (b'{"meta": {"id": "x", "domain": "canary"}}', Record("x", True)),
        (b'{"meta": {"id": 5}}', Record(None, False)),
        (b'{"meta": "none"}', Record(None, False)),
        (b"[1]", Record(None, False)),
        (b"\xff\xfe{", Record(None, False)),
        (None, Record(None, False)),
    ],
)
def test_a_raw_payload_is_identified_without_the_transforms(value: bytes | None, expected: Record) -> None:
    assert identify(value) == expected


def test_of_the_topics_is_expected_what_was_made_of_records_that_the_broker_still_has() -> None:
    books = good_books()
    books.log_begins = {0: 1}
    books.silver_topic.discard("a")
    books.gold_topic.discard("a")
    assert balance(books).balanced
    books.silver_topic.discard("b")
    assert [str(one) for one in balance(books).imbalances] == ["topic wiki.silver: 1 missing: b"]


def test_what_the_broker_let_go_must_be_in_the_lake_and_the_index_all_the_same() -> None:
    books = good_books()
    books.log_begins = {0: 5}
    books.gold_topic.clear()
    del books.gold["a"]
    assert {one.store for one in balance(books).imbalances} == {"gold", "documents"}
