"""One request to Wikibase's `wbgetentities`: as many pages as fit, of any wikis, by pairs of site and title."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from freshet.contract.pages import Page

MOST_PAGES: Final = 50
LONGEST_URL_BYTES: Final = 8_000
SEPARATOR: Final = "\x1f"
"""Stands between values, and before the first, where a value has the usual separator in it."""

_WIKI: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def is_askable(page: Page) -> bool:
    """Whether there can be such a page: it may not be asked about for the sake of the others in a request."""
    is_plain = not any(unicodedata.category(one) == "Cc" for one in page.title)
    return bool(_WIKI.fullmatch(page.wiki)) and bool(page.title.strip()) and is_plain


def fitting(base: str, pages: Sequence[Page], languages: Sequence[str], maxlag_s: int) -> int:
    """How many of these pages, from the first on, one request takes; at least one."""
    count = min(len(pages), MOST_PAGES)
    while count > 1 and len(url(base, pages[:count], languages, maxlag_s)) > LONGEST_URL_BYTES:
        count -= 1
    return count


def url(base: str, pages: Sequence[Page], languages: Sequence[str], maxlag_s: int) -> str:
    """The address that asks about these pages.

    Sitelinks are asked for as well: without them an answer does not say which page it is about.
    """
    wikis = sorted({page.wiki for page in pages})
    given = {
        "action": "wbgetentities",
        "format": "json",
        "formatversion": "1",
        # one site with many titles, or as many of the one as of the other
        "sites": _joined(wikis if len(wikis) == 1 else [page.wiki for page in pages]),
        "titles": _joined([page.title for page in pages]),
        "props": "labels|descriptions|sitelinks",
        "sitefilter": _joined(wikis),
        "languages": _joined(languages),
        "maxlag": str(maxlag_s),
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items())
    return f"{base}{'&' if '?' in base else '?'}{query}"


def _joined(values: Sequence[str]) -> str:
    if any("|" in value for value in values):
        return "".join(SEPARATOR + value for value in values)
    return "|".join(values)
