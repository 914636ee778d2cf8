"""`freshet trace`: what each step did, before the layers themselves."""

from typing import Any

import pytest
from typer.testing import CliRunner

from local.cli import app, questions

ADDED: dict[str, Any] = {
    "from": "raw",
    "to": "silver",
    "added": ["language", "section"],
    "changed": [{"field": "comment", "before": "[[Nile]]", "after": "Nile"}],
    "dropped": [],
}
UNKNOWN: dict[str, Any] = {"from": "silver", "to": "gold", "added": None, "changed": None, "dropped": None}


def test_the_steps_come_first_a_line_each_and_one_for_each_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "call", lambda *_: {"gold": {"title": "Nile"}, "steps": [ADDED, UNKNOWN]})
    printed = CliRunner().invoke(app, ["trace", "one"]).stdout
    assert printed.splitlines()[:3] == [
        "raw to silver: added language, section; dropped nothing",
        '  comment: "[[Nile]]" -> "Nile"',
        "silver to gold: not known, a layer is not there yet",
    ]
    assert '"title": "Nile"' in printed


def test_of_a_removed_document_it_says_when_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {
        "doc_id": "one",
        "status": "removed",
        "removed_at": "2026-11-23T11:02:10Z",
        "reason": "its page was deleted",
    }
    monkeypatch.setattr(questions, "call", lambda *_: gone)
    printed = CliRunner().invoke(app, ["trace", "one"]).stdout
    assert printed == "removed on 2026-11-23T11:02:10Z: its page was deleted\n"
    assert '"status": "removed"' in CliRunner().invoke(app, ["trace", "one", "--json"]).stdout


def test_as_json_it_is_what_the_api_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "call", lambda *_: {"steps": [ADDED]})
    assert '"from": "raw"' in CliRunner().invoke(app, ["trace", "one", "--json"]).stdout
