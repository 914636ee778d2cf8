"""The rows of silver and gold: what an event is typed as, what becomes a document, and what its document says."""

import hashlib
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as fn

from freshet.contract import schemas, topics
from freshet.contract.documents import DocumentRule
from spark_jobs.transforms.gold import admitted, gold
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import MAX_NAME_LENGTH, silver
from tests.spark.edits import RULE, STAMPED, payload, raw

pytestmark = pytest.mark.spark

INDEX = "https://en.wikipedia.org/w/index.php"
EVENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an edit": ({}, {
        "event_id": "e1", "wiki": "enwiki", "domain": "en.wikipedia.org", "language": "en", "type": "edit",
        "namespace": 0, "title": "Moon", "user_name": "Selene", "user_kind": "registered", "minor": False,
        "comment": "nearer than it looks", "section": "Orbit", "bytes_old": 4000, "bytes_new": 4100,
        "bytes_delta": 100, "revision_id": 1002, "parent_revision_id": 1001, "revert_kind": None, "log_type": None,
        "page_url": "https://en.wikipedia.org/wiki/Moon", "diff_url": f"{INDEX}?diff=1002&oldid=1001",
    }),
    "a new page": (
        {"type": "new", "length": {"old": ..., "new": 900}, "revision": {"old": ..., "new": 5}},
        {"bytes_delta": 900, "parent_revision_id": None, "diff_url": f"{INDEX}?oldid=5"},
    ),
    "a new page with null before": ({"type": "new", "length": {"old": None, "new": 900}}, {"bytes_delta": 900}),
    "a log event": (
        {"type": "log", "log_type": "block", "log_action": "reblock", "length": ..., "revision": ..., "namespace": -1},
        {"log_type": "block", "log_action": "reblock", "bytes_delta": None, "diff_url": None, "namespace": -1},
    ),
    "a removal": ({"length": {"old": 10, "new": 4}}, {"bytes_delta": -6}),
    "a delta too wide": ({"length": {"old": -(2**63), "new": 2**63 - 1}}, {"bytes_delta": None}),
    "numbers as texts": (
        {"namespace": "4", "length": {"old": "5", "new": "7"}, "revision": {"old": "8", "new": "9"}, "minor": "true"},
        {"namespace": 4, "bytes_delta": 2, "revision_id": 9, "parent_revision_id": 8, "minor": True},
    ),
    "no numbers": (
        {"namespace": "x", "length": {"old": [], "new": {}}, "revision": "r", "minor": "perhaps"},
        {"namespace": None, "bytes_old": None, "bytes_delta": None, "revision_id": None, "minor": None},
    ),
    "a namespace beyond an int": ({"namespace": 2**40}, {"namespace": None}),
    "a number as type": ({"type": 142}, {"type": "142", "diff_url": None}),
    # who
    "a temporary account": ({"user": "~2026-12345-67"}, {"user_kind": "temporary"}),
    "a tilde alone": ({"user": "~2026"}, {"user_kind": "registered"}),
    "an IPv4 address": ({"user": "192.0.2.44"}, {"user_kind": "ip"}),
    "nearly an IPv4 address": ({"user": "192.0.2.444"}, {"user_kind": "registered"}),
    "an IPv6 address": ({"user": "2001:DB8:0:0:0:0:0:1"}, {"user_kind": "ip"}),
    "a short IPv6 address": ({"user": "2001:db8::1"}, {"user_kind": "ip"}),
    "a name with a colon": ({"user": "Ada: the first"}, {"user_kind": "registered"}),
    "a bot": ({"bot": True}, {"user_kind": "bot"}),
    "a bot as text": ({"bot": "true", "user": "192.0.2.44"}, {"user_kind": "bot"}),
    "nobody": ({"user": None, "bot": None}, {"user_name": None, "user_kind": None}),
    "a name of blanks": ({"user": "  "}, {"user_name": None, "user_kind": None}),
    # where
    "a language with a hyphen": ({"meta": {"domain": "zh-min-nan.wikipedia.org"}}, {"language": "zh-min-nan"}),
    "a dictionary": ({"meta": {"domain": "fr.wiktionary.org"}}, {"language": "fr"}),
    "Wikidata": ({"meta": {"domain": "www.wikidata.org"}}, {"language": None}),
    "Commons": ({"meta": {"domain": "commons.wikimedia.org"}}, {"language": None}),
    "a test wiki": ({"meta": {"domain": "test.wikipedia.org"}}, {"language": None}),
    "a look-alike": ({"meta": {"domain": "en.wikipedia.org.example.com"}}, {"language": None}),
    "no domain but a server": ({"meta": {"domain": ...}}, {"domain": "en.wikipedia.org", "language": "en"}),
    "no uri": (
        {"meta": {"uri": ...}, "title": "Ünï 100% & co?"},
        {"page_url": "https://en.wikipedia.org/wiki/%C3%9Cn%C3%AF_100%25_%26_co%3F"},
    ),
    "a uri on another host": (
        {"meta": {"uri": "https://evil.example/wiki/Moon"}},
        {"page_url": "https://en.wikipedia.org/wiki/Moon"},
    ),
    "a uri that is a script": (
        {"meta": {"uri": "javascript:alert(1)"}}, {"page_url": "https://en.wikipedia.org/wiki/Moon"},
    ),
    "a domain that is none": (
        {"meta": {"domain": "e vil/?"}}, {"page_url": None, "diff_url": None, "language": None},
    ),
    "a path that is none": ({"server_script_path": "/w?x="}, {"diff_url": f"{INDEX}?diff=1002&oldid=1001"}),
    "a path without end": ({"server_script_path": "/a" * 50_000}, {"title": "Moon"}),
    # what it says
    "a NUL in a title": ({"title": "Mo\0on"}, {"title": "Moon"}),
    "a long title": ({"title": "x" * 9000}, {"title": "x" * MAX_NAME_LENGTH}),
    "an undo": (
        {"comment": "Undid revision 123456 by [[Special:Contributions/A|A]]"},
        {"revert_kind": "undo", "reverted_user": "A", "reverted_revision_id": 123456, "restored_revision_id": None},
    ),
    "an undo that is no edit": (
        {"type": "log", "comment": "Undid revision 123456 by [[Special:Contributions/A|A]]"}, {"revert_kind": None},
    ),
    "a summary of blanks without end": ({"comment": "/* " + " " * 100_000}, {"comment": "/*", "section": None}),
    "a summary of bars without end": ({"comment": "|" * 500_000}, {"comment": "|" * 1000}),
}  # fmt: skip

RULES = (RULE, DocumentRule((0, 4), ("en*", "!enwiktionary")), DocumentRule((0,), ("a.c", "x+y", "*[z]")))
CASES = list(
    product(
        ("edit", "new", "log", "142", "Edit"),
        (0, 4, -1, None),
        ("registered", "temporary", "ip", "bot", None),
        ("enwiki", "enwiktionary", "wikidatawiki", "test2wiki", "abc", "a.c", "x+y", "q[z]", "enwiki\n"),
        ("Moon", "", None),
    )
)

FLAGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an ordinary edit": ({}, []),
    "no summary": ({"comment": "/* Orbit */"}, ["no_summary"]),
    "an automatic summary": ({"comment": "Created page with 'x'"}, ["automatic_summary"]),
    "an automatic summary elsewhere": ({"comment": "←Weiterleitung nach [[Mond]] erstellt"}, ["automatic_summary"]),
    "5,000 bytes of much": ({"length": {"old": 90_000, "new": 85_000}}, ["large_removal"]),
    "4,999 bytes of much": ({"length": {"old": 90_000, "new": 85_001}}, []),
    "more than half": ({"length": {"old": 900, "new": 400}}, ["large_removal"]),
    "exactly half": ({"length": {"old": 1000, "new": 500}}, []),
    "nothing left, unsaid": (
        {"comment": "", "length": {"old": 600, "new": 0}}, ["no_summary", "large_removal", "blanked"],
    ),
}  # fmt: skip
TEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "all three": ({}, "Moon. Orbit. nearer than it looks"),
    "no section": ({"comment": "nearer"}, "Moon. nearer"),
    "a title alone": ({"comment": ""}, "Moon"),
    "a title with a dot": ({"title": "Moon Inc.", "comment": "/* Etc. */ x"}, "Moon Inc. Etc. x"),
}


@pytest.fixture(scope="module")
def made(spark: SparkSession) -> dict[str, tuple[Row, Row | None]]:
    """The silver row, and the gold row where there is one, by the name of the case."""
    given = {**EVENTS, **FLAGS, **TEXTS}
    names = list(given)
    assert len(names) == len(EVENTS) + len(FLAGS) + len(TEXTS)
    rows = silver(parse(bronze(raw(spark, (payload(**given[name][0]) for name in names))))).localCheckpoint()
    documents = {row["raw_offset"]: row for row in gold(rows, RULE).collect()}
    return {names[row["raw_offset"]]: (row, documents.get(row["raw_offset"])) for row in rows.collect()}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_typed_and_normalised(made: dict[str, tuple[Row, Row | None]], name: str) -> None:
    row, expected = made[name][0], EVENTS[name][1]
    assert {column: row[column] for column in expected} == expected


def test_a_row_knows_where_it_came_from(made: dict[str, tuple[Row, Row | None]]) -> None:
    for offset, (row, document) in enumerate(made.values()):
        for each in (row, document) if document else (row,):
            assert (each["raw_topic"], each["raw_partition"], each["raw_offset"]) == (topics.RAW, 0, offset)
            assert (each["source"], each["transform_version"]) == ("recording", schemas.TRANSFORM_VERSION)
            assert each["raw_timestamp"].astimezone(UTC) == STAMPED
            assert each["received_at"].astimezone(UTC) == datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)


def test_the_columns_are_those_of_the_contract(made: dict[str, tuple[Row, Row | None]]) -> None:
    row, document = made["an edit"]
    assert document is not None
    assert (tuple(row.__fields__), tuple(document.__fields__)) == (
        schemas.names(schemas.SILVER), schemas.names(schemas.GOLD),
    )  # fmt: skip


@pytest.mark.parametrize("name", FLAGS)
def test_a_document_carries_the_flags_of_its_edit(made: dict[str, tuple[Row, Row | None]], name: str) -> None:
    document = made[name][1]
    assert document is not None
    assert document["quality_flags"] == FLAGS[name][1]


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_says_title_section_and_summary(made: dict[str, tuple[Row, Row | None]], name: str) -> None:
    document = made[name][1]
    assert document is not None
    assert document["text"] == TEXTS[name][1]
    assert document["content_hash"] == hashlib.sha256(document["text"].encode()).hexdigest()
    assert document["doc_id"] == document["event_id"] == "e1"


def test_only_what_the_rule_admits_is_a_document(made: dict[str, tuple[Row, Row | None]]) -> None:
    for row, document in made.values():
        columns = ("type", "namespace", "user_kind", "wiki", "title")
        assert RULE.admits(**{column: row[column] for column in columns}) == (document is not None)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: ",".join(rule.wikis))
def test_the_rule_says_the_same_in_spark_and_in_python(spark: SparkSession, rule: DocumentRule) -> None:
    columns = ("type", "namespace", "user_kind", "wiki", "title")
    frame = spark.createDataFrame(CASES, "type STRING, namespace INT, user_kind STRING, wiki STRING, title STRING")
    rows = frame.select(*columns, admitted(rule).alias("admitted")).collect()
    assert len(rows) == len(CASES)
    wrong = [row for row in rows if row["admitted"] != rule.admits(**{column: row[column] for column in columns})]
    assert not wrong
    assert {row["admitted"] for row in rows} == {True, False}


def test_rows_without_a_key_or_headers_are_taken_as_the_broker_stamped_them(spark: SparkSession) -> None:
    bare = raw(spark, [payload()]).withColumns({"key": fn.lit(None), "headers": fn.lit(None)})
    odd = fn.array(*(fn.struct(fn.lit(name).alias("key"), fn.lit(value).alias("value")) for name, value in (
        ("received-at", b"soon"), ("source", b"\xff"), ("source", b"second"),
    )))  # fmt: skip
    typed = bare.withColumns({"key": bare["key"].cast("binary"), "headers": odd})
    none = fn.lit(None).cast("array<struct<key: string, value: binary>>")
    rows = bronze(typed.unionByName(typed.withColumn("headers", none))).collect()
    assert [row["received_at"].astimezone(UTC) for row in rows] == [STAMPED, STAMPED]
    assert [row["source"] for row in rows] == ["\N{REPLACEMENT CHARACTER}", "unknown"]
