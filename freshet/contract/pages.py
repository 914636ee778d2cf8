"""What is said of a page, and the text by which its edits are found: the same for the stream and for a backfill."""

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple


class Page(NamedTuple):
    """A page of a wiki, by its full name."""

    wiki: str
    title: str


@dataclass(frozen=True)
class Description:
    """What a knowledge base says of a page. Everything is other people's text.

    `language` is that of the description, or of the label where there is no description.
    """

    item_id: str
    label: str | None
    description: str | None
    language: str | None


def page_text(title: str, label: str | None, description: str | None) -> str | None:
    """The text to embed: the title, the label where it is another one, a colon, and the description.

    None where nothing is said beyond the title. Of the ways to write it this one was found best
    (docs/decisions/0024-two-vectors.md).
    """
    names = [title, label] if label and label.casefold() != title.casefold() else [title]
    if description and description.casefold() != title.casefold():
        return f"{', '.join(names)}: {description}"
    return ", ".join(names) if len(names) > 1 else None


def text_hash(text: str) -> str:
    """Of a text to embed: sha256, hexadecimal."""
    return sha256(text.encode()).hexdigest()
