"""Where a listener is on the log: the next offset of each partition, as the id of a server-sent event."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r"\d{1,5}-\d{1,18}(?:\.\d{1,5}-\d{1,18}){0,1023}", re.ASCII)


@dataclass(frozen=True)
class Position:
    """`next` is the offset that comes next, by partition."""

    next: Mapping[int, int]

    def __str__(self) -> str:
        return ".".join(f"{partition}-{offset}" for partition, offset in sorted(self.next.items()))

    def after(self, partition: int, offset: int) -> "Position":
        """The position when this record has been read."""
        return Position({**self.next, partition: offset + 1})

    def includes(self, partition: int, offset: int) -> bool:
        """Whether this record was before the position."""
        return offset < self.next.get(partition, 0)

    def missing(self, begun: "Position") -> int:
        """Records between this position and a later one from which on everything is known."""
        return sum(max(0, offset - self.next.get(partition, offset)) for partition, offset in begun.next.items())


def parse(text: str) -> Position | None:
    """The position that an id stands for; None when it is none of ours."""
    if not _FORM.fullmatch(text):
        return None
    pairs = (part.split("-") for part in text.split("."))
    return Position({int(partition): int(offset) for partition, offset in pairs})
