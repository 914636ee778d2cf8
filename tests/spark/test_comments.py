"""Edit summaries as plain text, in the forms that real wikis write."""

import pytest
from pyspark.sql import functions as fn

from spark_jobs.transforms import comments, entities

pytestmark = pytest.mark.spark

# what was written, and the section and the comment it becomes
CLEANED = {
    "": (None, ""),
    "fixed a date": (None, "fixed a date"),
    "/* History */ fixed a date": ("History", "fixed a date"),
    "/* History */fixed a date": ("History", "fixed a date"),
    "/*History*/": ("History", ""),
    "/* top */ fixed a date": (None, "fixed a date"),
    "/* 経歴 */ 項目追加": ("経歴", "項目追加"),
    "/* [[Ada|Works]] of ''Ada'' */ more": ("Works of Ada", "more"),
    "/* In */ /* Out */ transfers": ("In", "Out: transfers"),
    "/* wbsetdescription-add:1|en */ river in Peru": (None, "river in Peru"),
    "/* wbcreateclaim-create:1| */ [[Property:P31]]: [[Q5]]": (None, "Property:P31: Q5"),
    "/* undo:0||123|Ada */ mistake": (None, "mistake"),
    "[[Snow]] and [[:Category:Ice]]": (None, "Snow and Category:Ice"),
    "[[crystal|crystals]] by [[User:Ada|]]": (None, "crystals by User:Ada"),
    "[[File:A.jpg|thumb|the [[Alps]] in winter]]": (None, "the Alps in winter"),
    "cut off in the [[middle of a lin": (None, "cut off in the middle of a lin"),
    "see [https://example.org/a?b=c the source] and [//example.org it]": (None, "see the source and it"),
    "see [https://example.org]": (None, "see [https://example.org]"),
    "a <b>bold</b> <ref name=x>claim</ref> <br/> here<!-- not here -->": (None, "a bold claim here"),
    "<script>alert(1)</script>": (None, "alert(1)"),
    "x<!-- never closed": (None, "x"),
    "5 < 6 and 7 > 3": (None, "5 < 6 and 7 > 3"),
    "Fish &amp; chips &ndash; &#8364;5 &#x20AC;6": (None, "Fish & chips – €5 €6"),
    "&amp;lt; stays once decoded": (None, "&lt; stays once decoded"),
    "&unknown; &; & &#0; &#xD800; &#99999999; &#x110000;": (
        None,
        "&unknown; &; & &#0; &#xD800; &#99999999; &#x110000;",
    ),
    "&#128512;": (None, "😀"),
    "'''bold''' and ''italic'', don't": (None, "bold and italic, don't"),
    "a\tb\nc\u00a0d\u3000e\u0000f": (None, "a b c d e f"),
    "\u202eevil\u202c \u200emark\u200f \ufeffbom": (None, "evil mark bom"),
    "خنثی\u200cسازی": (None, "خنثی\u200cسازی"),
    "👩\u200d🔬": (None, "👩\u200d🔬"),
    "  padded  ": (None, "padded"),
}


@pytest.fixture(scope="module")
def cleaned(spark):
    frame = spark.createDataFrame([(text,) for text in CLEANED], "raw STRING")
    made = frame.select("raw", comments.section(fn.col("raw")), comments.clean(fn.col("raw"))).collect()
    return {row[0]: (row[1], row[2]) for row in made}


@pytest.mark.parametrize("summary", CLEANED)
def test_a_summary_reads_as_plain_text(cleaned, summary):
    assert cleaned[summary] == CLEANED[summary]


def test_a_summary_and_a_section_are_bounded(spark):
    frame = spark.createDataFrame([("/* " + "s" * 3000 + " */ " + "é" * 3000,)], "raw STRING")
    section, comment = frame.select(comments.section(fn.col("raw")), comments.clean(fn.col("raw"))).first()
    assert (len(section), len(comment)) == (comments.MAX_SECTION_LENGTH, comments.MAX_COMMENT_LENGTH)


def test_no_summary_is_an_empty_one(spark):
    frame = spark.createDataFrame([(None,)], "raw STRING")
    assert tuple(frame.select(comments.section(fn.col("raw")), comments.clean(fn.col("raw"))).first()) == (None, "")


def test_every_named_entity_is_decoded(spark):
    frame = spark.createDataFrame(
        [(f"&{name};", text) for name, text in entities.NAMED.items()], "raw STRING, text STRING"
    )
    wrong = frame.where(entities.decode(fn.col("raw")) != fn.col("text")).collect()
    assert wrong == []


def test_text_full_of_brackets_takes_no_exponential_time(spark):
    frame = spark.createDataFrame(
        [("[[" * 20_000 + "|" * 20_000 + "&" * 20_000 + "<" * 20_000 + "/*" * 20_000,)], "raw STRING"
    )
    assert frame.select(comments.clean(fn.col("raw"))).first()[0] is not None
