"""The only links that are given out: https, and on a host of Wikimedia's."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, HttpUrl, TypeAdapter, ValidationError

_PROJECTS: Final = (
    "wikipedia wiktionary wikidata wikimedia wikibooks wikinews wikiquote wikisource wikiversity wikivoyage mediawiki "
    "wikifunctions"
).split()
_HOSTS: Final = tuple(f"{project}.org" for project in _PROJECTS)
_UNDER_HOSTS: Final = tuple(f".{host}" for host in _HOSTS)
# It reads an address as browsers do, so both see the same host in it.
_ADDRESS: Final = TypeAdapter(HttpUrl)
_ITEM: Final = re.compile(r"Q[1-9][0-9]{0,14}")


def trusted(link: str | None) -> str | None:
    """The link as a browser would follow it, or None when it is no address of Wikimedia's."""
    try:
        url = _ADDRESS.validate_python(link)
    except ValidationError:
        return None
    host = url.host or ""
    ours = host in _HOSTS or host.endswith(_UNDER_HOSTS)
    plain = url.scheme == "https" and url.port == 443 and url.username is None and url.password is None
    return str(url) if ours and plain else None


def item(item_id: str) -> str | None:
    """The page of one of Wikidata's items, or None when it is no name of an item."""
    return f"https://www.wikidata.org/wiki/{item_id}" if _ITEM.fullmatch(item_id) else None


Link = Annotated[str | None, AfterValidator(trusted)]
"""A field of an answer: a link that is none of Wikimedia's becomes null."""
