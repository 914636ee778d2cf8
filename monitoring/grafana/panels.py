"""What a dashboard is made of, as plain data. `build` turns it into Grafana's JSON."""

from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["stat", "series", "bars", "stacked", "states", "heatmap"]

RUNBOOKS: Final = "monitoring/runbooks"
"""Where the runbooks are in a checkout; a panel's description names its own."""

NORMAL: Final[dict[str, tuple[str, str]]] = {"1": ("yes", "green"), "0": ("no", "red")}
BREACH: Final[dict[str, tuple[str, str]]] = {"0": ("kept", "green"), "1": ("in breach", "red")}


@dataclass(frozen=True)
class Query:
    """An expression and what its lines are called. `empty` says why a healthy stack may have nothing to show for it."""

    expr: str
    legend: str
    empty: str = ""


@dataclass(frozen=True)
class Limits:
    """Where a value is worth a look, and where it is bad. It is bad below where `bad` is the smaller."""

    look: float
    bad: float


@dataclass(frozen=True)
class Panel:
    """One panel. `says` is what it shows, `worry` ends the sentence "Worry when"."""

    kind: Kind
    title: str
    says: str
    worry: str
    unit: str
    queries: tuple[Query, ...]
    span: int = 8
    height: int = 8
    limits: Limits | None = None
    more: str = ""
    """uid of the dashboard that shows more of it"""
    runbook: str = ""
    """name of its runbook, without the ending"""
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """word and colour that stand for a value"""
    without: str = ""
    """what a stat says where there is no value"""

    @property
    def description(self) -> str:
        """What the reader sees behind the little i."""
        text = f"{self.says}\n\nWorry when {self.worry}"
        return f"{text}\n\nRunbook: `{RUNBOOKS}/{self.runbook}.md`" if self.runbook else text


@dataclass(frozen=True)
class Row:
    """A heading and the panels under it, from left to right, 24 wide."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    says: str
    rows: tuple[Row, ...]
    since: str = "now-1h"

    @property
    def panels(self) -> list[Panel]:
        """All of them, in order."""
        return [panel for row in self.rows for panel in row.panels]


@dataclass(frozen=True)
class Event:
    """A mark on every plot of every dashboard, where `expr` has a value."""

    name: str
    expr: str
    title: str
    colour: str
