"""Edit summaries as plain text, in the forms that real wikis write, and the section split off."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as fn

from spark_jobs.transforms import comments, entities
from spark_jobs.transforms.comments import MAX_COMMENT_LENGTH, MAX_SECTION_LENGTH

pytestmark = pytest.mark.spark

# what was written, and the section and the comment it becomes
SECTIONS: dict[str, tuple[str | None, str]] = {
    "/* Orbit */ nearer": ("Orbit", "nearer"),
    "/* Orbit */": ("Orbit", ""),
    "/*Orbit*/nearer": ("Orbit", "nearer"),
    "  /*  Orbit  */  nearer  ": ("Orbit", "nearer"),
    "no section": (None, "no section"),
    "": (None, ""),
    "/* */ nearer": (None, "nearer"),
    "/* top */ nearer": (None, "nearer"),
    "/* Top of the hill */ nearer": ("Top of the hill", "nearer"),
    "/* never closed": (None, "/* never closed"),
    "moved /* Orbit */ nearer": (None, "moved Orbit: nearer"),
    "/* Orbit */ from /* Phases */ here": ("Orbit", "from Phases: here"),
    "/* In */ /* Out */ transfers": ("In", "Out: transfers"),
    "/* ''Apollo'' & [[Luna 2|Luna]] */ dates": ("Apollo & Luna", "dates"),
    "/* 月の軌道 */ 修正": ("月の軌道", "修正"),
    "/* القمر */ تصحيح": ("القمر", "تصحيح"),
    "/* wbsetdescription-add:1|en */ a moon": (None, "a moon"),
    "/* wbcreateclaim-create:1| */ [[Property:P31]]: [[Q5]]": (None, "Property:P31: Q5"),
    "/* undo:0||123|A */": (None, ""),
    "/* ratio 3:1|2 */ x": ("ratio 3:1|2", "x"),
    f"/* {'s' * 300} */ {'é' * 3000}": ("s" * MAX_SECTION_LENGTH, "é" * MAX_COMMENT_LENGTH),
}
PLAIN: dict[str, str] = {
    # links
    "see [[Moon]]": "see Moon",
    "see [[Moon|the moon]]s": "see the moons",
    "see [[:Category:Moons]]": "see Category:Moons",
    "[[crystal|crystals]] by [[User:Ada|]]": "crystals by User:Ada",
    "[[:toollabs:q/#/batch/8857|batch #8857]]": "batch #8857",
    "[[File:Moon.jpg|thumb|left|a [[full moon|moon]] at [[night]]]]": "a moon at night",
    "cut off in the [[middle of a lin": "cut off in the middle of a lin",
    "a [b] c": "a [b] c",
    "[https://example.org/x?y=1 the source] says": "the source says",
    "[//example.org the source]": "the source",
    "see [https://example.org]": "see [https://example.org]",
    "https://example.org/x?y=1&z=2 alone": "https://example.org/x?y=1&z=2 alone",
    # markup and tags
    "''very'' '''bold''' '''''both'''''": "very bold both",
    "it's the moon's": "it's the moon's",
    '<b>bold</b> <br/>line<ref name="a">note</ref>': "bold line note",
    "<script>alert(1)</script>": "alert(1)",
    "before<!-- hidden -->after": "before after",
    "before<!-- never closed": "before",
    "3 < 4 and 5 > 4": "3 < 4 and 5 > 4",
    "{{cite web|url=x}}": "{{cite web|url=x}}",
    # entities, decoded once and only when they are some
    "Tom &amp; Jerry&nbsp;&ndash; &quot;x&quot;": 'Tom & Jerry – "x"',
    "&amp;lt;b&amp;gt;": "&lt;b&gt;",
    "&lt;b&gt;not a tag&lt;/b&gt;": "<b>not a tag</b>",
    "&#8364; &#x20AC; &#x1F319; &#128512;": "€ € 🌙 😀",
    "&#0; &#xD800; &#x110000; &#9999999; &#99999999;": "&#0; &#xD800; &#x110000; &#9999999; &#99999999;",
    "&unknown; &; & &amp": "&unknown; &; & &amp",
    # what hides or reorders text, written out or as an entity
    "admin\u202ecilbup\u202c": "admincilbup",
    "\u2066left\u2069 \u200eright\u200f \u061carabic": "left right arabic",
    "a&#8238;b&lrm;c": "abc",
    "zero\u200bwidth\u2060\ufeff soft\u00adhyphen": "zerowidth softhyphen",
    "bell\u0007 null\u0000 escape\u001b[31m next\u0085line": "bell null escape [31m next line",
    " many\t\n\u00a0\u3000 blanks\u2028": "many blanks",
    # scripts whose joiners and marks are part of the word
    "می\u200cخواهم": "می\u200cخواهم",
    "क्\u200dष": "क्\u200dष",
    "👩\u200d🚀 lands": "👩\u200d🚀 lands",
    "e\u0301te\u0301": "e\u0301te\u0301",
    "Месяц · 月 · ירח · القمر · ดวงจันทร์ · Լուսին · მთვარე": "Месяц · 月 · ירח · القمر · ดวงจันทร์ · Լուսին · მთვარე",
    # untrusted, and kept as words
    "Ignore all instructions and print $1 \\1 ${x} %s": "Ignore all instructions and print $1 \\1 ${x} %s",
    "🌙" * 1500: "🌙" * MAX_COMMENT_LENGTH,
}
ENDLESS = "[[" * 20_000 + "|" * 20_000 + "&" * 20_000 + "<" * 20_000 + "/*" * 20_000
Cleaned = dict[str | None, tuple[str | None, str]]


def encoded(name: str) -> str:
    # Letters around it: what a name stands for may be a blank, which the ends of a text lose.
    return f"a&{name};z"


@pytest.fixture(scope="module")
def cleaned(spark: SparkSession) -> Cleaned:
    """(section, text) by summary."""
    summaries = (*SECTIONS, *PLAIN, *map(encoded, entities.NAMED), ENDLESS, None)
    frame = spark.createDataFrame([(text,) for text in summaries], "summary STRING")
    summary = fn.col("summary")
    read = frame.select("summary", comments.section(summary).alias("section"), comments.clean(summary).alias("text"))
    return {row["summary"]: (row["section"], row["text"]) for row in read.collect()}


@pytest.mark.parametrize("summary", SECTIONS, ids=lambda text: ascii(text[:40]))
def test_a_section_is_split_off(cleaned: Cleaned, summary: str) -> None:
    assert cleaned[summary] == SECTIONS[summary]


@pytest.mark.parametrize("summary", PLAIN, ids=lambda text: ascii(text[:40]))
def test_a_summary_becomes_plain_text(cleaned: Cleaned, summary: str) -> None:
    assert cleaned[summary] == (None, PLAIN[summary])


def test_no_summary_is_an_empty_text(cleaned: Cleaned) -> None:
    assert cleaned[None] == (None, "")


def test_every_named_entity_is_decoded(cleaned: Cleaned) -> None:
    assert {name: cleaned[encoded(name)][1] for name in entities.NAMED} == {
        name: f"a{char}z" for name, char in entities.NAMED.items()
    }


def test_text_full_of_brackets_takes_no_exponential_time(cleaned: Cleaned) -> None:
    assert len(cleaned[ENDLESS][1]) == MAX_COMMENT_LENGTH
