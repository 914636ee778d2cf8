"""The items that the stand-in knows: from a file of descriptions, or those of the simulation's pages."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freshet.context_source import Origin, stand_in_origin
from freshet.contract.pages import Page
from freshet.errors import ConfigError
from freshet.settings import Settings
from local.eventstreams.corpus import pages


@dataclass(frozen=True)
class Item:
    """What is said of a page, in English."""

    item_id: str
    label: str | None
    description: str | None


@dataclass(frozen=True)
class Knowledge:
    """All items by page, and whose they are."""

    items: Mapping[Page, Item]
    origin: Origin


def knowledge(settings: Settings) -> Knowledge:
    """What the settings want known. Raises ConfigError when the file cannot be read."""
    file = settings.context_descriptions
    rows = [row for row in (_recorded(file) if file else _simulated()) if row.get("label") or row.get("description")]
    return Knowledge({Page(row["wiki"], row["title"]): _item(row) for row in rows}, stand_in_origin(settings))


def _recorded(file: Path) -> Iterator[dict[str, Any]]:
    try:
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            if not row["wiki"] or not row["title"]:
                raise ValueError("a page has a wiki and a title")
            yield row
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"FRESHET_CONTEXT_DESCRIPTIONS: {file} cannot be read: {error}") from error


def _simulated() -> Iterator[dict[str, Any]]:
    for page in pages():
        yield {
            "wiki": page.wiki.name, "title": page.title, "description": page.description,
            "label": page.label,
        }  # fmt: skip


def _item(row: Mapping[str, Any]) -> Item:
    made_up = int(hashlib.sha256(f"{row['wiki']}:{row['title']}".encode()).hexdigest(), 16) % 10**11
    # Wikidata will not have so many items for long: nobody takes it for one of them
    item_id = row.get("item_id") or f"Q9{made_up:011}"
    return Item(item_id, row.get("label") or None, row.get("description") or None)
