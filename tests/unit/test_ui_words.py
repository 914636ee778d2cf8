"""Text as Markdown that means nothing but the text."""

from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.hostile import HOSTILE
from ui.words import literal, marked


def shown(markdown: str) -> tuple[str, set[str]]:
    """What a reader sees, and the kinds of tokens it is made of."""
    tokens: list[Any] = MarkdownIt("gfm-like", {"html": True}).parse(markdown)
    inner = [child for token in tokens for child in token.children or []]
    text = "".join(child.content if child.type == "text" else "\n" for child in inner if not child.hidden)
    return text, {token.type for token in [*tokens, *inner]}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_is_shown_letter_for_letter_and_as_nothing_else(name: str) -> None:
    text = HOSTILE[name]
    seen, kinds = shown(literal(text))
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "hardbreak", "softbreak"}
    assert "".join(seen.split()) == "".join(text.replace("\x00", "\ufffd").split())


def test_the_marks_of_an_answer_lead_to_the_cards_of_its_turn() -> None:
    assert marked("Bridges were built. [1][12]", 3) == (
        "Bridges were built. [\\[1\\]](#source-3-1)[\\[12\\]](#source-3-12)"
    )
