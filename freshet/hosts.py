"""Whom a browser speaks for: a page of elsewhere must not pass for one of ours, nor act through somebody's browser.

A page can point its own name at this machine once it is loaded, and is then of one origin with whatever answers here.
Its requests name it in `Host`: an address or a name without a dot is none that a stranger can own.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

ANY: Final = "*"
_HOST: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:\d+)?")
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS: Final = frozenset({"same-origin", "none"})


def is_ours(host: str, names: Sequence[str] = ()) -> bool:
    """Whether a `Host` header names this machine: by address, by a name of its own network, or one of `names`."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found["name"].lower()
    return "." not in name or name.endswith(".localhost") or _is_address(name) or name in names or ANY in names


def is_of_elsewhere(method: str, headers: Mapping[str, str], names: Sequence[str] = ()) -> bool:
    """Whether a page of elsewhere makes this request. To follow a link to here is not meant."""
    site = headers.get("sec-fetch-site", "none")
    if method in _READING:
        return site not in _OURS and headers.get("sec-fetch-mode") != "navigate"
    if origin := headers.get("origin"):
        there = urlsplit(origin)
        return there.netloc != headers.get("host", "") and there.hostname not in names
    return site not in _OURS


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
