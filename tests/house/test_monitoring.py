"""House rules of what watches: rules, their cases, runbooks and the two configurations agree with each other."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase
from typer.exceptions import TyperException
from typer.main import get_command

from freshet.settings import CHECKOUT
from freshet.telemetry import metrics
from local.cli import app

FOLDER = CHECKOUT / "monitoring"
RULE_FILES = sorted((FOLDER / "rules").glob("*.yml"))
CASE_FILES = sorted((FOLDER / "rule_tests").glob("*.yml"))
RUNBOOKS = sorted((FOLDER / "runbooks").glob("*.md"))
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
PUSHED = {"FreshetSlaBreach", "FreshetTaskFailed", "FreshetRunOverdue"}
"""Alerts that no rule makes: `freshet/upkeep/alerts.py` tells Alertmanager of them itself."""

OF_OTHERS = re.compile(r"up|(process|python|jvm|scrape)_\w+")
NO_METRICS = re.compile(r"by|on|ignoring|group_left|group_right|without|and|or|unless|bool|offset|inf|nan")
BRACES, STRINGS, GROUPINGS = (
    r"\{[^}]*\}",
    r"\"[^\"]*\"",
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",
)


def rules() -> list[dict[str, Any]]:
    return [
        rule for file in RULE_FILES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]
    ]


ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
NAMES = sorted({rule["alert"] for rule in ALERTS})


def names_in(expression: str) -> set[str]:
    """The metrics that an expression reads: names that are neither called nor part of its grammar."""
    plain = re.sub(BRACES, "", re.sub(STRINGS, "", expression))
    plain = re.sub(r"\[[^\]]*\]|\boffset\s+\w+", "", re.sub(GROUPINGS, "", plain))
    found = re.findall(r"(?<![\w.:])[A-Za-z_:][\w:]*(?!\s*\()\b", plain)
    return {name for name in found if not NO_METRICS.fullmatch(name) and not re.search(rf"{name}\s*\(", plain)}


def exposed() -> set[str]:
    """The names under which our metrics are scraped."""
    found: set[str] = set()
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = metric._name
            if isinstance(metric, Histogram):
                found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
            else:
                found.add(f"{name}_total" if isinstance(metric, Counter) else name)
    return found


def unknown_in(expression: str) -> set[str]:
    known = exposed() | RECORDED
    return {name for name in names_in(expression) if name not in known and not OF_OTHERS.fullmatch(name)}


def test_names_are_found_in_expressions() -> None:
    expression = 'sum by (job) (rate(a_total{job=~"b|c"}[5m] offset 1h)) / on () group_left () max(l:d:sum) > 0.5 or up'
    assert names_in(expression) == {"a_total", "l:d:sum", "up"}
    assert unknown_in("sum(rate(freshet_no_such_total[5m]))") == {"freshet_no_such_total"}


def test_every_metric_in_the_rules_exists() -> None:
    assert ALERTS
    assert RECORDED
    assert not {name: rule.get("alert") for rule in rules() for name in unknown_in(rule["expr"])}


def test_every_metric_in_the_runbooks_exists() -> None:
    pattern = re.compile(r"\b(?:freshet|kafka)_[a-z_]*[a-z]\b(?!\.)")
    known = exposed() | RECORDED
    found = {
        f"{file.stem}: {name}" for file in RUNBOOKS for name in pattern.findall(file.read_text()) if name not in known
    }
    assert not found


def test_every_label_of_a_counter_or_gauge_in_the_rules_exists() -> None:
    labels = {
        name: set(metric._labelnames) | {"job", "instance", "le"}
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for name in exposed()
        if re.fullmatch(rf"{metric._name}(?:_total|_bucket|_sum|_count)?", name)
    }
    selectors = [found for rule in rules() for found in re.findall(r"(\w+)\{([^}]*)\}", rule["expr"])]
    assert selectors
    wrong = {
        f"{name}: {label}"
        for name, inside in selectors
        if name in labels
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(STRINGS, "''", inside))
        if label not in labels[name]
    }
    assert not wrong


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels'].get('severity')}")
def test_every_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "impact", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"monitoring/runbooks/{rule['alert']}.md"


def test_waits_are_written_so_that_a_drill_can_shorten_them() -> None:
    windows = [window for rule in rules() for window in re.findall(r"\[([^\]]*)\]", rule["expr"])]
    waits = [rule[field] for rule in rules() for field in ("for", "keep_firing_for") if field in rule]
    assert windows
    assert not [written for written in windows + waits if not re.fullmatch(r"[1-9]\d*[smhd]", written)]


def test_every_alert_has_a_runbook_and_no_runbook_is_left_over() -> None:
    assert {file.stem for file in RUNBOOKS} == set(NAMES) | PUSHED


def test_the_pushed_alerts_are_those_that_the_code_pushes() -> None:
    code = (CHECKOUT / "freshet" / "upkeep" / "alerts.py").read_text()
    assert set(re.findall(r"\"(Freshet[A-Z]\w+)\"", code)) == PUSHED


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_a_runbook_has_its_four_parts(file: Path) -> None:
    text = file.read_text()
    assert text.startswith(f"# {file.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert all(len(part.split()) >= 10 for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


def commands_in(text: str) -> list[str]:
    """Every `freshet ...` of a document, in a block of code or in a line."""
    blocks = re.findall(r"^    (freshet [^|;&\n]*)", text, re.MULTILINE)
    return blocks + [" ".join(found.split()) for found in re.findall(r"`(freshet [^`]*)`", text)]


def complaint(written: str) -> str | None:
    """Why the command as it is written could not be run, if so. Capitals such as TIME stand for a value."""
    name, *rest = shlex.split(written)[1:]
    command = get_command(app).commands.get(name)  # type: ignore[attr-defined]
    if command is None:
        return "no such command"
    stood_in = [{"TIME": "2026-11-23T10:15:00Z"}.get(word, word) for word in rest]
    try:
        command.make_context(name, stood_in)
    except TyperException as error:
        return str(error) or type(error).__name__
    return None


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_every_command_of_a_runbook_can_be_run(file: Path) -> None:
    assert {written: why for written in commands_in(file.read_text()) if (why := complaint(written))} == {}


def test_a_wrong_command_is_noticed() -> None:
    assert complaint("freshet stop") == "no such command"
    assert complaint("freshet logs serve --tail 5") is not None
    assert complaint("freshet logs serve --lines 5") is None
    assert complaint("freshet replay --offsets PARTITION:FIRST-LAST --apply") is None


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_tested_firing_and_silent(name: str) -> None:
    cases = [
        case
        for file in CASE_FILES
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == name
    ]
    assert [case for case in cases if case["exp_alerts"]], "no case in which it fires"
    assert [case for case in cases if not case["exp_alerts"]], "no case in which it is silent"
    assert all(alert["exp_labels"] and alert["exp_annotations"] for case in cases for alert in case["exp_alerts"])


def test_inhibitions_name_alerts_that_exist() -> None:
    config = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    known = {*NAMES, *PUSHED}
    for rule in config["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            if found := re.fullmatch(r"alertname=~?\"(.+)\"", matcher):
                assert all(any(re.fullmatch(part, name) for name in known) for part in found[1].split("|")), matcher


def test_a_job_for_every_process_that_the_rules_name() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    jobs = [job["job_name"] for job in config["scrape_configs"]]
    named = {
        job for rule in rules() for found in re.findall(r"job=~?\"([^\"]+)\"", rule["expr"]) for job in found.split("|")
    }
    assert len(jobs) == len(set(jobs))
    assert named <= set(jobs)
    assert all(len(job.get("dns_sd_configs") or job["static_configs"]) == 1 for job in config["scrape_configs"])


def run(tool: str, *arguments: str | Path) -> None:
    """Run one of Prometheus' tools. Without it this skips, which in CI is a failure (`conftest.py`)."""
    if shutil.which(tool) is None:
        pytest.skip(
            f"{tool} is missing: rules are not checked here. Debian: apt install prometheus prometheus-alertmanager"
        )
    done = subprocess.run([tool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_its_configuration_and_the_rules() -> None:
    run("promtool", "check", "config", "prometheus.yml")
    run("promtool", "check", "rules", "--lint-fatal", *RULE_FILES)


def test_alertmanager_takes_its_configuration() -> None:
    run("amtool", "check-config", "alertmanager.yml")


@pytest.mark.parametrize("file", CASE_FILES, ids=lambda file: file.stem)
def test_the_rules_fire_and_are_silent_as_they_should(file: Path) -> None:
    run("promtool", "test", "rules", file)
