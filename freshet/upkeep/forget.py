"""Removing by hand: what was asked for, what it takes, and doing it in the index. The lake follows by a DAG."""

import re
from datetime import UTC, datetime
from typing import Final

from freshet.addresses import is_address
from freshet.contract.removals import ANY_WIKI, Kind, Origin
from freshet.contract.texts import storable
from freshet.errors import PermanentError
from freshet.settings import Settings
from freshet.store import forgetting
from freshet.store.removals import Removal

DAG: Final = "forget"
_OF_WIKI: Final = re.compile(r"([a-z][a-z0-9_]*):(.+)", re.DOTALL)


def asked(page: str | None, user: str | None, event: str | None) -> Removal:
    """The removal of a page, WIKI:TITLE, a user, [WIKI:]NAME, or an event, by its id; of what happened until now.

    Raises PermanentError when it is not exactly one of them, or none that can be meant.
    """
    match page, user, event:
        case str(), None, None:
            kind, (wiki, name) = Kind.PAGE, _page(page)
        case None, str(), None:
            kind, (wiki, name) = Kind.USER, _user(user)
        case None, None, str():
            kind, wiki, name = Kind.EVENT, ANY_WIKI, event.strip()
        case _:
            raise PermanentError("say what to forget: one of --page WIKI:TITLE, --user [WIKI:]NAME and --event ID")
    if not name:
        raise PermanentError(f"which {kind}? it has no name")
    return Removal(kind, wiki, [storable(name)], datetime.now(UTC), Origin.HAND)


def in_index(settings: Settings, removal: Removal, *, apply: bool) -> dict[str, int]:
    """Documents and answers that lose what is removed, or would. Raises TransientError when Postgres is away."""
    return forgetting.by_hand(settings.conninfo, removal, apply=apply)


def spark_targets(removal: Removal) -> list[str]:
    """The same for the job that searches the lake, without its name: KIND:SHA256."""
    return [f"{removal.kind}:{one}" for one in removal.targets]


def _page(text: str) -> tuple[str, str]:
    found = _OF_WIKI.fullmatch(text.strip())
    if found is None:
        raise PermanentError(f"{text!r} names no page of a wiki: WIKI:TITLE is wanted, such as enwiki:Talk:Snow")
    return found[1], _title(found[2])


def _user(text: str) -> tuple[str, str]:
    """An IPv6 address has colons, and no wiki before them."""
    found = None if is_address(text.strip()) else _OF_WIKI.fullmatch(text.strip())
    return (found[1], _title(found[2])) if found else (ANY_WIKI, _title(text))


def _title(text: str) -> str:
    """As the stream writes it: links have underscores."""
    return text.replace("_", " ").strip()
