"""The rows of silver: what an event is typed and normalised as."""

from datetime import UTC
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from freshet.contract import schemas, topics
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import MAX_NAME_LENGTH, silver
from tests.spark.builders import LOGGED_AT, RECEIVED_MS, event, frame, numbered, payload

pytestmark = pytest.mark.spark

PAGES = "https://en.wikipedia.org/wiki"
INDEX = "https://en.wikipedia.org/w/index.php"
UNDO = "Undid revision 123456 by [[Special:Contributions/A|A]]"
# what is changed in the event, and what silver then says
EVENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an edit": ({"meta__id": "e1"}, {
        "event_id": "e1", "wiki": "enwiki", "domain": "en.wikipedia.org", "language": "en", "type": "edit",
        "namespace": 0, "title": "Snow", "user_name": "Ada", "user_kind": "registered", "minor": True,
        "comment": "how crystals grow", "section": "Formation", "bytes_old": 1000, "bytes_new": 1100,
        "bytes_delta": 100, "revision_id": 200, "parent_revision_id": 100, "revert_kind": None, "log_type": None,
        "page_url": f"{PAGES}/Snow", "diff_url": f"{INDEX}?diff=200&oldid=100",
    }),
    "a new page": (
        {"type": "new", "length": {"new": 900}, "revision": {"new": 5}},
        {"bytes_delta": 900, "parent_revision_id": None, "diff_url": f"{INDEX}?oldid=5"},
    ),
    "a new page with null before": ({"type": "new", "length": {"old": None, "new": 900}}, {"bytes_delta": 900}),
    "an edit of nothing": ({"revision": {"new": 7}}, {"diff_url": None}),
    "a log event": (
        {"type": "log", "log_type": "block", "log_action": "reblock", "length": ..., "revision": ..., "namespace": -1},
        {"log_type": "block", "log_action": "reblock", "bytes_delta": None, "diff_url": None, "namespace": -1},
    ),
    "a log event with revisions": ({"type": "log"}, {"diff_url": None}),
    "a removal": ({"length": {"old": 10, "new": 4}}, {"bytes_delta": -6}),
    "a delta too wide": ({"length": {"old": -(2**63), "new": 2**63 - 1}}, {"bytes_delta": None}),
    "numbers as texts": (
        {"namespace": "4", "length": {"old": "5", "new": "7"}, "revision": {"old": "8", "new": "9"}, "minor": "true"},
        {"namespace": 4, "bytes_old": 5, "bytes_new": 7, "bytes_delta": 2, "revision_id": 9, "parent_revision_id": 8,
         "minor": True},
    ),
    "no numbers": (
        {"namespace": "x", "length": {"old": [], "new": {}}, "revision": "r", "minor": "perhaps"},
        {"namespace": None, "bytes_old": None, "bytes_delta": None, "revision_id": None, "minor": None},
    ),
    "a namespace beyond an int": ({"namespace": 2**40}, {"namespace": None}),
    "a number as type": ({"type": 142}, {"type": "142", "diff_url": None}),
    # who
    "a temporary account": ({"user": "~2026-12345-67"}, {"user_kind": "temporary"}),
    "a tilde and a year": ({"user": "~2026"}, {"user_kind": "registered"}),
    "a tilde and a word": ({"user": "~ten"}, {"user_kind": "registered"}),
    "an IPv4 address": ({"user": "192.0.2.44"}, {"user_kind": "ip"}),
    "nearly an IPv4 address": ({"user": "192.0.2.444"}, {"user_kind": "registered"}),
    "three parts of an IPv4 address": ({"user": "1.2.3"}, {"user_kind": "registered"}),
    "an IPv6 address": ({"user": "2001:DB8:0:0:0:0:0:1"}, {"user_kind": "ip"}),
    "a short IPv6 address": ({"user": "2001:db8::1", "bot": None}, {"user_kind": "ip"}),
    "a name with a colon": ({"user": "Ada: the first"}, {"user_kind": "registered"}),
    "a bot": ({"bot": True}, {"user_kind": "bot"}),
    "a bot as text": ({"bot": "true", "user": "192.0.2.44"}, {"user_kind": "bot"}),
    "a bot without a name": ({"bot": True, "user": None}, {"user_kind": "bot"}),
    "nobody": ({"user": None, "bot": None}, {"user_name": None, "user_kind": None}),
    "a name of blanks": ({"user": "  "}, {"user_name": None, "user_kind": None}),
    # where
    "a small Wikipedia": ({"meta__domain": "simple.wikipedia.org"}, {"language": "simple"}),
    "a language with a hyphen": ({"meta__domain": "zh-min-nan.wikipedia.org"}, {"language": "zh-min-nan"}),
    "a dictionary": ({"meta__domain": "fr.wiktionary.org"}, {"language": "fr"}),
    "a library": ({"meta__domain": "he.wikisource.org"}, {"language": "he"}),
    "Wikidata": ({"meta__domain": "www.wikidata.org"}, {"language": None}),
    "Commons": ({"meta__domain": "commons.wikimedia.org"}, {"language": None}),
    "a test wiki": ({"meta__domain": "test.wikipedia.org"}, {"language": None}),
    "a project beside a project": ({"meta__domain": "evilwikipedia.org"}, {"language": None}),
    "a look-alike": ({"meta__domain": "en.wikipedia.org.example.com"}, {"language": None}),
    "no domain but a server": ({"meta__domain": ...}, {"domain": "en.wikipedia.org", "language": "en"}),
    "a uri over http": (
        {"meta__uri": "http://en.wikipedia.org/wiki/Ice"}, {"page_url": "http://en.wikipedia.org/wiki/Ice"},
    ),
    "no uri": (
        {"meta__uri": ..., "title": "Ünï 100% & co?"}, {"page_url": f"{PAGES}/%C3%9Cn%C3%AF_100%25_%26_co%3F"},
    ),
    "no uri and a readable title": (
        {"meta__uri": None, "title": "Talk:A b/c (d)"}, {"page_url": f"{PAGES}/Talk:A_b/c_(d)"},
    ),
    "neither uri nor title": ({"meta__uri": None, "title": None}, {"page_url": None}),
    "a uri on another host": ({"meta__uri": "https://evil.example/wiki/Snow"}, {"page_url": f"{PAGES}/Snow"}),
    "a uri on a longer host": ({"meta__uri": "https://en.wikipedia.org.evil.example/"}, {"page_url": f"{PAGES}/Snow"}),
    "a uri with a tag": ({"meta__uri": f"{PAGES}/<script>"}, {"page_url": f"{PAGES}/Snow"}),
    "a uri that is a script": ({"meta__uri": "javascript:alert(1)//en.wikipedia.org/"}, {"page_url": f"{PAGES}/Snow"}),
    "a domain that is none": (
        {"meta__domain": "en.wikipedia.org/evil?"}, {"page_url": None, "diff_url": None, "language": None},
    ),
    "a path that is none": ({"server_script_path": "/w?x="}, {"diff_url": f"{INDEX}?diff=200&oldid=100"}),
    "a path without end": ({"server_script_path": "/a" * 50_000}, {"title": "Snow"}),
    # what it says
    "NUL in names": (
        {"title": "Sn\0ow", "user": " Ada\0 ", "wiki": "en\0wiki"},
        {"title": "Snow", "user_name": "Ada", "wiki": "enwiki"},
    ),
    "a long title": ({"title": "x" * 9000}, {"title": "x" * MAX_NAME_LENGTH}),
    "an undo": (
        {"comment": UNDO},
        {"revert_kind": "undo", "reverted_user": "A", "reverted_revision_id": 123456, "restored_revision_id": None},
    ),
    "an undo that is no edit": ({"type": "log", "comment": UNDO}, {"revert_kind": None}),
    "a summary of blanks without end": ({"comment": "/* " + " " * 100_000}, {"comment": "/*", "section": None}),
    "a summary of bars without end": ({"comment": "|" * 500_000}, {"comment": "|" * 1000}),
}  # fmt: skip


@pytest.fixture(scope="module")
def typed(spark: SparkSession) -> dict[str, Row]:
    """The silver row, by the name of the event."""
    records = frame(spark, numbered(payload(event(**changes)) for changes, _ in EVENTS.values()))
    return dict(zip(EVENTS, silver(parse(bronze(records))).collect(), strict=True))


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_typed_and_normalised(typed: dict[str, Row], name: str) -> None:
    expected = EVENTS[name][1]
    assert {column: typed[name][column] for column in expected} == expected


def test_a_row_knows_where_it_came_from(typed: dict[str, Row]) -> None:
    for offset, row in enumerate(typed.values()):
        assert (row["raw_topic"], row["raw_partition"], row["raw_offset"]) == (topics.RAW, 0, offset)
        assert (row["source"], row["transform_version"]) == ("recording", schemas.TRANSFORM_VERSION)
        assert row["raw_timestamp"].astimezone(UTC) == LOGGED_AT
        assert row["received_at"].astimezone(UTC).timestamp() * 1000 == RECEIVED_MS


def test_the_columns_are_those_of_the_contract(typed: dict[str, Row]) -> None:
    assert tuple(typed["an edit"].asDict()) == schemas.names(schemas.SILVER)
