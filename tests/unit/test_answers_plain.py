"""Words of others: whatever they hold and however they are cut, they come out as words."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from api.answers.plain import PlainStream, plain

# What links, marks and markup are made of, whole and in parts.
PARTS = [
    *("www.", "http", "https://", "://", "mailto:", "javascript:", "/", "x@y.example", "evil.example"),
    *("_", "__", "*", "**", "~", "#", "-", "+", "1.", "=", "$", "|", "`", "\\", "&lt;", "<b>", "!"),
    *("[", "]", "1", ",", "【", "】", " ", "  ", "\n", "\t", "\u200b", "\u202e", "\U000e0041", "\x1b[31m"),
    *("a", "é", "漢", "字", "。", "ไทย", "한"),
]
texts = st.lists(st.sampled_from(PARTS), max_size=16).map("".join)
MARKUP = re.compile(
    r"://|//|(?:^|[\s*_~(])www\.|[\[\]<>`*~@&\\]|(?<![^\W_])_[^\W_]| {2}|[\x00-\x1f\u200b\u202e\U000e0041]"
)


def streamed(*pieces: str) -> str:
    stream = PlainStream()
    return "".join([*map(stream.feed, pieces), stream.end()])


@settings(max_examples=500, deadline=None)
@given(st.lists(texts, max_size=4))
def test_however_a_text_is_cut_the_same_words_come_out(pieces):
    text = "".join(pieces)
    assert streamed(*pieces) == streamed(text) == streamed(*text)


@given(texts)
def test_nothing_is_left_of_links_and_markup(text):
    for shown in (plain(text), streamed(text)):
        assert not MARKUP.search(shown)
        assert shown == shown.strip()


@given(texts)
def test_a_renderer_of_markdown_finds_one_paragraph_of_text(text):
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(streamed(text))
    inline = [child.type for token in tokens for child in token.children or []]
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert set(inline) <= {"text"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the mean rose [1].", "the mean rose."),
        ("both [1, 2] and [3][4]; 【5】 ［6］.", "both and;."),
        ("see https://evil.example/x now", "see evil.example/x now"),
        ("h[1]ttps://evil.example", "evil.example"),
        ("- # 1. Heading", "Heading"),
        ("-5 bytes", "-5 bytes"),
        ("snake_case _leans_ __main__", "snake_case leans main"),
        ("a & b <b>c</b>", "a ＆ b ‹b›c‹/b›"),
        ("array[i] and [sic]", "array(i) and (sic)"),
        ("می\u200cشود", "می شود"),
    ],
)
def test_what_is_replaced_and_what_stays(text, shown):
    assert streamed(text) == shown


def test_the_last_word_and_an_open_mark_are_held_back_and_nothing_else():
    stream = PlainStream()
    shown = [stream.feed(piece) for piece in ("The me", "an rose", " by ", "2 [1", ", 2", "].", " It")]
    assert shown == ["The", " mean", " rose by", " 2", "", "", "."]
    assert stream.end() == " It"


def test_scripts_without_spaces_are_not_held_back():
    stream = PlainStream()
    assert "".join(stream.feed(letter) for letter in "地球温暖化の影響") == "地球温暖化の影"
    assert stream.end() == "響"
