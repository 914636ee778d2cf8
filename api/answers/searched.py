"""What was searched for an answer, and the sentence about it that ends every answer. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.answers.prose import duration, moment, provenance, quoted
from freshet.store.lookup import Extent

NAMED_WIKIS: Final = 5


@dataclass(frozen=True)
class Searched:
    """`extent` is what the filters left, `wikis` those of the filter, `now` the time of asking; `time_words` are the
    question's own, when they were among the filters."""

    extent: Extent
    wikis: Sequence[str]
    time_words: str | None
    now: datetime

    def __str__(self) -> str:
        narrowed = f' Your question narrowed it: "{quoted(self.time_words)}".' if self.time_words else ""
        oldest, newest = self.extent.oldest_event_time, self.extent.newest_event_time
        if oldest is None or newest is None:
            return f"There was nothing to search: no edit of {self._of()} passes the filters.{narrowed}"
        edits = "1 edit" if self.extent.documents == 1 else f"{self.extent.documents:,} edits"
        window = f"from {moment(oldest)} to {moment(newest)}, the newest {duration(self.now - newest)} old"
        return f"Searched {edits} of {self._of()} {window} ({provenance(self.extent.sources)}).{narrowed}"

    def _of(self) -> str:
        named = [quoted(wiki) for wiki in self.wikis[:NAMED_WIKIS]]
        more = len(self.wikis) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "") if named else "all wikis"
