"""The dashboards say what they show, show what exists, and are what the code builds."""

import json
import re
from typing import Any

import pytest
from grafana_foundation_sdk.models import units

from freshet.settings import CHECKOUT
from freshet.telemetry import metrics
from monitoring.grafana import build
from monitoring.grafana.boards import BOARDS
from monitoring.grafana.events import EVENTS
from monitoring.grafana.expressions import FOLDER, MAY_BE_EMPTY, expressions
from monitoring.grafana.panels import RUNBOOKS

UNITS = {unit for unit in vars(units).values() if isinstance(unit, str)}
FILES = sorted(FOLDER.glob("*.json"))
FOREIGN = re.compile(r"up|ALERTS|(process|python|jvm|prometheus|alertmanager)_\w+|\w+(:\w+)+")
WORDS = {"or", "and", "unless", "bool", "offset", "by", "on", "without", "ignoring", "group_left", "group_right"}
FOREIGN_LABELS = {"job", "instance", "le", "area", "gc", "pool", "alertname", "alertstate"}


def labels_of_metrics() -> dict[str, set[str]]:
    """Every name that Prometheus knows of ours, with its labels."""
    known = {}
    for metric in vars(metrics).values():
        if isinstance(metric, metrics.MetricWrapperBase):
            (family,) = metric.describe()
            endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
            known.update({family.name + ending: set(metric._labelnames) for ending in endings})
    return known


def names(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(by|on|without|ignoring) \([^)]*\)", " ", expression)
    return {name for name in re.findall(r"(?<![\w.])[a-zA-Z_:][\w:]*\b(?! *\()", bare) if name not in WORDS}


def read(file: Any) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(file.read_text())
    return board


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def test_the_committed_dashboards_are_what_the_code_builds() -> None:
    assert {file.name: file.read_text() for file in FILES} == {
        f"{board.uid}.json": build.text(board) for board in BOARDS
    }, "run python -m monitoring.grafana"


def test_only_metrics_that_exist_are_shown() -> None:
    known = labels_of_metrics()
    assert expressions()
    unknown = {
        (board, panel, name)
        for board, panel, expression in expressions()
        for name in names(expression)
        if name not in known and not FOREIGN.fullmatch(name)
    }
    assert not unknown


def test_only_labels_that_its_metrics_have_are_asked_for() -> None:
    known = labels_of_metrics()
    wrong = []
    for board, panel, expression in expressions():
        matched = re.findall(r"[{,](\w+)(?:=|!)", expression)
        grouped = re.findall(r"\bby \(([^)]*)\)", expression)
        asked = {*matched, *(label.strip() for group in grouped for label in group.split(","))}
        had = set().union(*(known.get(name, set()) for name in names(expression)))
        wrong += [(board, panel, label) for label in asked - had - FOREIGN_LABELS]
    assert not wrong


def test_every_metric_is_shown() -> None:
    shown = {name for _, _, expression in expressions() for name in names(expression)}
    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in labels_of_metrics()}
    assert not ours - {re.sub("_(bucket|sum|count)$", "", name) for name in shown}


def test_what_may_be_empty_is_on_a_dashboard_and_says_why() -> None:
    assert set(MAY_BE_EMPTY) <= {expression for _, _, expression in expressions()}
    assert all(MAY_BE_EMPTY.values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_panel_says_what_it_shows_and_when_to_worry(file: Any) -> None:
    for panel in panels(read(file)):
        assert panel["title"]
        assert re.search(r".+\.\n\nWorry when .+\.", panel["description"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"], panel["title"]
        assert all(target["legendFormat"] and target["refId"] for target in panel["targets"]), panel["title"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_panel_overlaps_another(file: Any) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in read(file)["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} overlaps {taken[cell]}"
            taken[cell] = panel["title"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_numbers_and_titles_are_given_once(file: Any) -> None:
    board = read(file)
    numbers = [panel["id"] for panel in board["panels"]]
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(numbers)) == len(numbers)
    assert len(set(titles)) == len(titles)


def test_every_link_leads_to_a_dashboard() -> None:
    uids = {read(file)["uid"] for file in FILES}
    for board in map(read, FILES):
        found = [link["url"] for link in board["links"]]
        assert len(found) == len(FILES) - 1
        found += [link["url"] for panel in panels(board) for link in panel.get("links", [])]
        targets = [re.fullmatch(r"/d/([\w-]+)(\?.*)?", url) for url in found]
        assert all(target and target[1] in uids for target in targets), found


def test_every_runbook_that_a_panel_names_exists() -> None:
    named = {panel.runbook for board in BOARDS for panel in board.panels if panel.runbook}
    assert not [name for name in sorted(named) if not (CHECKOUT / RUNBOOKS / f"{name}.md").exists()]


def test_every_dashboard_has_all_marks() -> None:
    for board in map(read, FILES):
        assert [mark["expr"] for mark in board["annotations"]["list"]] == [event.expr for event in EVENTS]
        assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource"]
