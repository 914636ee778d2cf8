"""The rows of gold: what becomes a document, and what its document says."""

import hashlib
from itertools import product
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from freshet.contract import schemas
from freshet.contract.documents import DocumentRule
from spark_jobs.transforms.gold import admitted, gold
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import silver
from tests.spark.builders import RULE, event, frame, numbered, payload

pytestmark = pytest.mark.spark

FLAGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an ordinary edit": ({}, []),
    "no summary": ({"comment": ""}, ["no_summary"]),
    "a section alone": ({"comment": "/* Formation */"}, ["no_summary"]),
    "an automatic summary": (
        {"comment": "[[WP:AES|←]]Created page with 'Snow'", "type": "new"}, ["automatic_summary"],
    ),
    "an automatic summary elsewhere": ({"comment": "←Weiterleitung nach [[Schnee]] erstellt"}, ["automatic_summary"]),
    "5,000 bytes of much": ({"length": {"old": 90_000, "new": 85_000}}, ["large_removal"]),
    "4,999 bytes of much": ({"length": {"old": 90_000, "new": 85_001}}, []),
    "more than half": ({"length": {"old": 900, "new": 400}}, ["large_removal"]),
    "exactly half": ({"length": {"old": 1000, "new": 500}}, []),
    "no lengths": ({"length": None}, []),
    "nearly nothing left": (
        {"comment": "←Blanked", "length": {"old": 900, "new": 1}}, ["automatic_summary", "large_removal"],
    ),
    "nothing left, unsaid": (
        {"comment": "", "length": {"old": 600, "new": 0}}, ["no_summary", "large_removal", "blanked"],
    ),
}  # fmt: skip
TEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "all three": ({}, "Snow. Formation. how crystals grow"),
    "no section in it": ({"comment": "how it falls"}, "Snow. how it falls"),
    "a title and a section": ({"comment": "/* See also */"}, "Snow. See also"),
    "a title alone": ({"comment": ""}, "Snow"),
    "dots at the ends": ({"title": "St. Snow Inc.", "comment": "/* Etc. */ x"}, "St. Snow Inc. Etc. x"),
}
NO_DOCUMENTS: dict[str, dict[str, Any]] = {
    "a log event": {"type": "log"},
    "a categorisation": {"type": "categorize"},
    "a talk page": {"namespace": 1},
    "no namespace": {"namespace": None},
    "a bot": {"bot": True},
    "nobody": {"user": None},
    "no title": {"title": ""},
    "Wikidata": {"wiki": "wikidatawiki"},
    "Commons": {"wiki": "commonswiki"},
    "a test wiki": {"wiki": "test2wiki"},
    "a dictionary": {"wiki": "enwiktionary"},
    "news": {"wiki": "enwikinews"},
}
RULES = (RULE, DocumentRule((0, 4), ("en*", "!enwiktionary")), DocumentRule((0,), ("a.c", "x+y", "*[z]")))
COLUMNS = ("type", "namespace", "user_kind", "wiki", "title")
CASES = list(
    product(
        ("edit", "new", "log", "142", "Edit"),
        (0, 4, -1, None),
        ("registered", "temporary", "ip", "bot", None),
        ("enwiki", "enwiktionary", "wikidatawiki", "test2wiki", "abc", "a.c", "x+y", "q[z]", "enwiki\n"),
        ("Snow", "", None),
    )
)
Documents = dict[str, Row | None]


@pytest.fixture(scope="module")
def documents(spark: SparkSession) -> Documents:
    """The gold row, by the name of the case; None where there is none."""
    changes = {name: given for name, (given, _) in (FLAGS | TEXTS).items()} | NO_DOCUMENTS
    records = frame(spark, numbered(payload(event(**given)) for given in changes.values()))
    rows = {row["raw_offset"]: row for row in gold(silver(parse(bronze(records))), RULE).collect()}
    return {name: rows.get(offset) for offset, name in enumerate(changes)}


@pytest.mark.parametrize("name", FLAGS)
def test_quality_is_flagged(documents: Documents, name: str) -> None:
    assert documents[name]["quality_flags"] == FLAGS[name][1]


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_reads_as_sentences(documents: Documents, name: str) -> None:
    row = documents[name]
    assert row["text"] == TEXTS[name][1]
    assert row["content_hash"] == hashlib.sha256(row["text"].encode()).hexdigest()
    assert row["doc_id"] == row["event_id"]
    assert tuple(row.asDict()) == schemas.names(schemas.GOLD)


@pytest.mark.parametrize("name", NO_DOCUMENTS)
def test_what_is_no_content_edit_is_no_document(documents: Documents, name: str) -> None:
    assert documents[name] is None


@pytest.fixture(scope="module")
def judged(spark: SparkSession) -> list[Row]:
    """Every case, with what each of RULES says of it."""
    frame = spark.createDataFrame(CASES, "type STRING, namespace INT, user_kind STRING, wiki STRING, title STRING")
    rows = frame.select(*COLUMNS, *(admitted(rule).alias(f"by_{place}") for place, rule in enumerate(RULES))).collect()
    assert len(rows) == len(CASES)
    return rows


@pytest.mark.parametrize("place", range(len(RULES)), ids=("by default", "two namespaces", "no regex"))
def test_the_rule_says_the_same_in_spark_and_in_python(judged: list[Row], place: int) -> None:
    rule, said = RULES[place], f"by_{place}"
    assert not [row for row in judged if row[said] != rule.admits(**{column: row[column] for column in COLUMNS})]
    assert {row[said] for row in judged} == {True, False}
