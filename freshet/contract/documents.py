"""What belongs in gold, as data: the Spark transform and the audit read the same rule."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CONTENT_TYPES: Final = ("edit", "new")


@dataclass(frozen=True)
class DocumentRule:
    """Which silver rows become documents: content edits by people, in these namespaces and wikis.

    `wikis` are patterns on the database name: `*` stands for any letters, a leading `!` excludes; what no
    inclusive pattern matches is out, and an exclusion always wins.
    """

    namespaces: tuple[int, ...]
    wikis: tuple[str, ...]

    @property
    def wiki_regex(self) -> str:
        """The patterns as one anchored regular expression that Java and Python read alike."""
        included = [_regex(pattern) for pattern in self.wikis if not pattern.startswith("!")]
        excluded = [_regex(pattern[1:]) for pattern in self.wikis if pattern.startswith("!")]
        ahead = f"(?!(?:{'|'.join(excluded)})$)" if excluded else ""
        return f"^{ahead}(?:{'|'.join(included)})$"

    def admits(self, *, type: str, namespace: int | None, user_kind: str | None, wiki: str, title: str | None) -> bool:
        """Whether one silver row belongs in gold."""
        return (
            type in CONTENT_TYPES
            and namespace in self.namespaces
            and user_kind is not None
            and user_kind != "bot"
            and bool(title)
            and re.match(self.wiki_regex, wiki) is not None
        )


def rule_from(namespaces: Sequence[int], wikis: Sequence[str]) -> DocumentRule:
    """The rule that settings ask for."""
    return DocumentRule(tuple(namespaces), tuple(wikis))


def _regex(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))
