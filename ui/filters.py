"""What a reader narrows the search to: as the widgets have it, as the API takes it, and as an address says it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

WINDOWS: Final[Mapping[str, timedelta | None]] = {
    "any time": None,
    "last 5 minutes": timedelta(minutes=5),
    "last hour": timedelta(hours=1),
    "last 24 hours": timedelta(days=1),
    "last 7 days": timedelta(days=7),
}
PEOPLE: Final[Mapping[str, str]] = {
    "registered": "registered",
    "temporary account": "temporary",
    "unregistered": "ip",
}
MINOR: Final[Mapping[str, bool | None]] = {"all edits": None, "no minor edits": False, "only minor edits": True}

ANY_TIME: Final = "any time"
ALL_EDITS: Final = "all edits"
MOST: Final = 50
"""Names in one filter, as the API allows."""


@dataclass(frozen=True)
class Filters:
    """`window`, `people` and `minor` are labels of the above; wikis and languages are names such as enwiki and en."""

    wikis: Sequence[str] = ()
    languages: Sequence[str] = ()
    window: str = ANY_TIME
    people: Sequence[str] = ()
    minor: str = ALL_EDITS

    def body(self, now: datetime) -> dict[str, Any]:
        """The API's `filters`."""
        span, minor = WINDOWS[self.window], MINOR[self.minor]
        given = {
            "wikis": list(self.wikis),
            "languages": list(self.languages),
            "user_kinds": [PEOPLE[label] for label in self.people],
            "since": (now - span).isoformat() if span else None,
            "minor": minor,
        }
        return {name: value for name, value in given.items() if value not in (None, [])}

    def words(self) -> list[str]:
        """What narrows, each in words."""
        window = [] if self.window == ANY_TIME else [self.window]
        minor = [] if self.minor == ALL_EDITS else [self.minor]
        people = [f"by {' or '.join(self.people)}"] if self.people else []
        return [*map(str, self.wikis), *(f"language {name}" for name in self.languages), *window, *people, *minor]

    def query(self, question: str) -> str:
        """The address of a page with this question and these filters, from the ? on."""
        pairs = [("q", question)] if question else []
        pairs += [("wiki", name) for name in self.wikis] + [("language", name) for name in self.languages]
        pairs += [("people", label) for label in self.people]
        pairs += [] if self.window == ANY_TIME else [("window", self.window)]
        pairs += [] if self.minor == ALL_EDITS else [("minor", self.minor)]
        return f"?{urlencode(pairs)}" if pairs else "?"

    def without_window(self) -> "Filters":
        """The same for any time."""
        return replace(self, window=ANY_TIME)


def from_query(pairs: Sequence[tuple[str, str]]) -> tuple[str, Filters]:
    """The question and the filters of an address. What is no filter of ours is passed over."""

    def all_of(name: str) -> list[str]:
        return [value[:100] for key, value in pairs if key == name and value][:MOST]

    def one_of(name: str, labels: Mapping[str, Any], default: str) -> str:
        return next((value for value in all_of(name) if value in labels), default)

    filters = Filters(
        all_of("wiki"),
        all_of("language"),
        one_of("window", WINDOWS, ANY_TIME),
        [label for label in PEOPLE if label in all_of("people")],
        one_of("minor", MINOR, ALL_EDITS),
    )
    return next((value[:1000] for key, value in pairs if key == "q"), ""), filters
