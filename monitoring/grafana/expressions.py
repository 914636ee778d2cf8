"""Every expression of the committed dashboards, for whoever tests them. Needs nothing of Grafana's."""

import json
from pathlib import Path
from typing import Final

from monitoring.grafana.boards import BOARDS
from monitoring.grafana.events import EVENTS, WHY_EMPTY

FOLDER: Final = Path(__file__).parent / "dashboards"

MAY_BE_EMPTY: Final[dict[str, str]] = {
    **{event.expr: WHY_EMPTY for event in EVENTS},
    **{query.expr: query.empty for board in BOARDS for panel in board.panels for query in panel.queries if query.empty},
}
"""Expressions that may have nothing to show on a healthy stack, and why."""


def expressions() -> list[tuple[str, str, str]]:
    """Dashboard, panel or mark, and expression. Grafana's own variables are still in them."""
    found = []
    for file in sorted(FOLDER.glob("*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            found += [(board["title"], panel["title"], target["expr"]) for target in panel.get("targets", [])]
        found += [(board["title"], mark["name"], mark["expr"]) for mark in board["annotations"]["list"]]
    return found
