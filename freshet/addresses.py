"""Addresses of people without an account: they are kept as the stream has them, and not shown."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "an unregistered user"

_MAYBE: Final = re.compile(r"(?<![\w.])[0-9A-Fa-f:.]{3,100}(/\d{1,3}(?!\w))?(?!\w)", re.ASCII)
_TITLE: Final = re.compile(r"([^:]+:)([^/]+)(.*)", re.DOTALL)
_ZEROS: Final = re.compile(r"(?<![0-9A-Fa-f])0+(?=\d)")
_TEXTS: Final = ("section", "comment", "text", "reverted_user")


def masked(text: str) -> str:
    """The text with MASK for every IPv4 or IPv6 address and range."""
    return _MAYBE.sub(lambda found: _mask(found[0]), text)


def masked_title(title: str) -> str:
    """The title of a page: what a page of one's own is called after is masked, an article about an address is not."""
    found = _TITLE.fullmatch(title)
    return f"{found[1]}{MASK}{found[3]}" if found and is_address(found[2]) else title


def without_addresses(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of silver or gold, or some of its columns, as it may be shown."""
    shown = dict(row)
    for name in _TEXTS:
        if shown.get(name):
            shown[name] = masked(shown[name])
    if shown.get("user_name"):
        shown["user_name"] = MASK if shown.get("user_kind") == "ip" else masked(shown["user_name"])
    if shown.get("title") and masked_title(shown["title"]) != shown["title"]:
        shown["title"] = masked_title(shown["title"])
        if "page_url" in shown:
            shown["page_url"] = None
    return shown


def is_address(text: str) -> bool:
    """Whether it is an address, as MediaWiki writes it or otherwise."""
    try:
        ipaddress.ip_address(_ZEROS.sub("", text))
    except ValueError:
        return False
    # the address of nobody
    return text != "::"


def _mask(found: str) -> str:
    """The mask in place of an address; what only looks like one as it is. A word and a colon may be before it, and a
    full stop or colon after it."""
    last = len(found.rstrip(".:"))
    for start in (0, *(number for number, letter in enumerate(found, 1) if letter == ":")):
        for end in range(len(found), max(last, start + 1) - 1, -1):
            if is_address(found[start:end].partition("/")[0]):
                return found[:start] + MASK + found[end:]
    return found
