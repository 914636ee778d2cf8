"""Typed events, and the documents made of them."""

import hashlib

import pytest

from freshet.contract import schemas
from freshet.settings import load_settings
from spark_jobs.transforms.gold import gold
from spark_jobs.transforms.parse import parse
from spark_jobs.transforms.records import bronze
from spark_jobs.transforms.silver import silver
from tests.spark.builders import Record, event, payload, raw, without

pytestmark = pytest.mark.spark

RULE = load_settings().document_rule


@pytest.fixture
def made(records):
    """Silver rows of events, in order."""
    return lambda *events: (
        silver(parse(bronze(records([raw(one, offset=place) for place, one in enumerate(events)]))))
        .orderBy("raw_offset")
        .collect()
    )


@pytest.fixture
def documented(records):
    """Gold rows of events, in order."""
    return lambda *events: (
        gold(silver(parse(bronze(records([raw(one, offset=place) for place, one in enumerate(events)])))), RULE)
        .orderBy("raw_offset")
        .collect()
    )


@pytest.mark.parametrize(
    ("user", "bot", "kind"),
    [
        ("Ada", False, "registered"),
        ("Ada", True, "bot"),
        ("Ada", "true", "bot"),
        ("192.0.2.1", False, "ip"),
        ("192.0.2.1", True, "bot"),
        ("2001:DB8:0:0:0:0:0:1", False, "ip"),
        ("2001:db8::1", None, "ip"),
        ("~2026-12345-67", False, "temporary"),
        ("300.0.2.1", False, "registered"),
        ("1.2.3", False, "registered"),
        ("~ten", False, "registered"),
        (None, False, None),
        (None, True, "bot"),
        ("", None, None),
    ],
)
def test_a_user_is_of_one_kind(made, user, bot, kind):
    assert made(event(user=user, bot=bot))[0]["user_kind"] == kind


@pytest.mark.parametrize(
    ("domain", "language"),
    [
        ("en.wikipedia.org", "en"),
        ("simple.wikipedia.org", "simple"),
        ("zh-min-nan.wikipedia.org", "zh-min-nan"),
        ("he.wikisource.org", "he"),
        ("fr.wiktionary.org", "fr"),
        ("www.wikidata.org", None),
        ("commons.wikimedia.org", None),
        ("meta.wikimedia.org", None),
        ("www.mediawiki.org", None),
        ("test.wikipedia.org", None),
        ("evilwikipedia.org", None),
        (None, "en"),
    ],
)
def test_the_language_is_the_domains(made, domain, language):
    assert made(event(meta__domain=domain))[0]["language"] == language


@pytest.mark.parametrize(
    ("uri", "title", "url"),
    [
        ("https://en.wikipedia.org/wiki/Snow", "Snow", "https://en.wikipedia.org/wiki/Snow"),
        ("http://en.wikipedia.org/wiki/Snow", "Snow", "http://en.wikipedia.org/wiki/Snow"),
        (None, "Talk:A b/c (d)", "https://en.wikipedia.org/wiki/Talk:A_b/c_(d)"),
        (None, "Schnee & Eis? 50%", "https://en.wikipedia.org/wiki/Schnee_%26_Eis%3F_50%25"),
        (None, "雪", "https://en.wikipedia.org/wiki/%E9%9B%AA"),
        ("https://evil.example/wiki/Snow", "Snow", "https://en.wikipedia.org/wiki/Snow"),
        ("https://en.wikipedia.org.evil.example/", "Snow", "https://en.wikipedia.org/wiki/Snow"),
        ("https://en.wikipedia.org/wiki/<script>", "Snow", "https://en.wikipedia.org/wiki/Snow"),
        ("javascript:alert(1)//en.wikipedia.org/", "Snow", "https://en.wikipedia.org/wiki/Snow"),
        (None, None, None),
    ],
)
def test_the_page_is_linked_on_its_own_host(made, uri, title, url):
    assert made(event(meta__uri=uri, title=title))[0]["page_url"] == url


def test_a_domain_that_is_no_host_gives_no_links(made):
    row = made(event(meta__domain="en.wikipedia.org/evil?", meta__uri=None))[0]
    assert (row["page_url"], row["diff_url"]) == (None, None)


def test_the_change_is_linked_where_there_is_one(made):
    edit, new, first, log, odd = made(
        event(),
        event(type="new", revision={"new": 7}, length={"new": 9}),
        event(revision={"new": 7}),
        event(type="log"),
        event(server_script_path="/w?evil="),
    )
    assert edit["diff_url"] == "https://en.wikipedia.org/w/index.php?diff=200&oldid=100"
    assert new["diff_url"] == "https://en.wikipedia.org/w/index.php?oldid=7"
    assert (first["diff_url"], log["diff_url"]) == (None, None)
    assert odd["diff_url"] == edit["diff_url"]


def test_bytes_are_counted_and_never_overflow(made):
    edit, new, absent, texts, huge = made(
        event(length={"old": 10, "new": 4}),
        event(type="new", length={"new": 9}),
        without(event(), "length"),
        event(length={"old": "10", "new": "12"}),
        event(length={"old": -(2**63), "new": 2**63 - 1}),
    )
    assert [row["bytes_delta"] for row in (edit, new, absent, texts, huge)] == [-6, 9, None, 2, None]
    assert (texts["bytes_old"], texts["bytes_new"]) == (10, 12)


def test_names_hold_no_nul_and_are_bounded(made):
    row = made(event(title="Sn\0ow" + "x" * 5000, user=" Ada\0 ", wiki="en\0wiki"))[0]
    assert row["title"] == ("Snow" + "x" * 5000)[:512]
    assert (row["user_name"], row["wiki"]) == ("Ada", "enwiki")


def test_silver_knows_where_it_came_from(made):
    row = made(event(meta__id="an-id"))[0]
    assert (row["event_id"], row["raw_topic"], row["raw_partition"], row["raw_offset"]) == ("an-id", "wiki.raw", 0, 0)
    assert (row["source"], row["transform_version"]) == ("recording", schemas.TRANSFORM_VERSION)
    assert tuple(row.asDict()) == schemas.names(schemas.SILVER)


def test_a_document_reads_as_sentences(documented):
    whole, bare, section = documented(
        event(title="Snow", comment="/* Formation */ how [[crystal|crystals]] grow"),
        event(title="St. Louis Jr.", comment=""),
        event(title="Snow", comment="/* See also */"),
    )
    assert whole["text"] == "Snow. Formation. how crystals grow"
    assert bare["text"] == "St. Louis Jr"
    assert section["text"] == "Snow. See also"
    assert whole["content_hash"] == hashlib.sha256(whole["text"].encode()).hexdigest()
    assert tuple(whole.asDict()) == schemas.names(schemas.GOLD)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "log"},
        {"type": "categorize"},
        {"namespace": 1},
        {"namespace": None},
        {"bot": True},
        {"user": None},
        {"title": ""},
        {"wiki": "wikidatawiki"},
        {"wiki": "enwiktionary"},
    ],
)
def test_what_is_no_content_edit_is_no_document(documented, changes):
    assert documented(event(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"comment": "grew"}, []),
        ({"comment": ""}, ["no_summary"]),
        ({"comment": "/* A */"}, ["no_summary"]),
        ({"comment": "[[WP:AES|←]]Created page with 'Snow'", "type": "new"}, ["automatic_summary"]),
        ({"comment": "←Blanked", "length": {"old": 900, "new": 1}}, ["automatic_summary", "large_removal"]),
        ({"comment": "cut", "length": {"old": 90_000, "new": 80_000}}, ["large_removal"]),
        ({"comment": "cut", "length": {"old": 90_000, "new": 89_000}}, []),
        ({"comment": "", "length": {"old": 900, "new": 0}}, ["no_summary", "large_removal", "blanked"]),
        ({"comment": "x", "length": None}, []),
    ],
)  # fmt: skip
def test_quality_is_flagged(documented, changes, flags):
    assert documented(event(**changes))[0]["quality_flags"] == flags


def test_the_rule_is_the_same_in_spark_and_in_python(documented, made):
    events = [
        event(wiki=wiki, namespace=namespace, user=user, bot=bot, type=kind)
        for wiki in ("enwiki", "commonswiki", "test2wiki", "enwikinews", "zh_min_nanwiki")
        for namespace in (0, 2, None)
        for user, bot in (("Ada", False), ("Ada", True), (None, False))
        for kind in ("edit", "new", "log")
    ]
    fields = ("type", "namespace", "user_kind", "wiki", "title")
    admitted = {row["event_id"] for row in made(*events) if RULE.admits(**{name: row[name] for name in fields})}
    assert admitted == {row["doc_id"] for row in documented(*events)}
    assert len(admitted) == 4


def test_a_record_without_a_source_still_becomes_a_document(records):
    frame = gold(silver(parse(bronze(records([Record(payload(event()), headers=None)])))), RULE)
    assert frame.first()["source"] == "unknown"
