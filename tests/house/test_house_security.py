"""House rules of safety: nothing that strangers wrote is ever run, as code, as a command, or as a statement."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from freshet.settings import CHECKOUT
from freshet.telemetry import metrics
from tests.house.test_house import PACKAGES, PROJECT, imports, modules, tracked

SOURCES = [file for folder in (*PACKAGES, "dags", "scripts") for file in modules(folder)]
SCRIPTS = [file for file in tracked() if file.suffix == ".sh" or file.name in ("Makefile", "Dockerfile")]

UNPICKLING = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
RUNNING = {"eval", "exec", "compile", "__import__", "execfile"}
SHELLS = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput")}
STATEMENTS = {"execute", "executemany"}
CHOSEN = {("filters.py", "text")}
"""Texts of a table of constants."""


def calls(file: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))


def where(file: Path, node: ast.expr) -> str:
    return f"{file.relative_to(CHECKOUT)}:{node.lineno}"


def test_nothing_is_unpickled() -> None:
    assert not [str(file) for file in SOURCES if set(imports(file)) & UNPICKLING]


def test_no_text_is_run_as_code() -> None:
    called = [(file, node) for file in SOURCES for node in calls(file)]
    assert not [where(*one) for one in called if isinstance(one[1].func, ast.Name) and one[1].func.id in RUNNING]


def test_no_shell_is_given_a_text() -> None:
    called = [(file, node) for file in SOURCES for node in calls(file)]
    assert not [where(file, node) for file, node in called for word in node.keywords if word.arg == "shell"]
    assert not [where(file, node) for file, node in called if _named(node) in SHELLS]


def test_yaml_is_read_without_its_objects() -> None:
    asked = {_named(node) for file in SOURCES for node in calls(file)}
    assert not asked & {("yaml", "load"), ("yaml", "unsafe_load"), ("yaml", "full_load"), ("yaml", "load_all")}


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_evaluates_nothing_and_runs_nothing_that_it_fetched(file: Path) -> None:
    commands = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in commands if re.search(r"(^|[\s;&|(])(eval|source <)\b", line)]
    assert not [line for line in commands if re.search(r"\b(curl|wget)\b.*\|\s*(ba|z)?sh\b", line)]
    assert not [line for line in commands if re.search(r"\b(ba)?sh -c\b.*\$\{?[a-z]", line)]


def test_a_statement_of_the_store_is_made_of_constants() -> None:
    composed = [
        (file, node)
        for folder in PACKAGES
        for file in modules(folder)
        for node in calls(file)
        if _named(node) == ("sql", "SQL")
    ]
    assert composed
    assert not [where(file, node) for file, node in composed if not _is_constant(file, node.args[0])]


def test_no_room_writes_a_value_into_a_statement() -> None:
    executed = [
        (file, node)
        for folder in (*PACKAGES, "dags")
        for file in modules(folder)
        for node in calls(file)
        if isinstance(node.func, ast.Attribute) and node.func.attr in STATEMENTS and node.args
    ]
    written = [(file, node) for file, node in executed if _is_written(node.args[0])]
    assert not [where(file, node) for file, node in written if not _is_constant(file, node.args[0])]


def test_spark_s_statements_are_where_tables_are_written_alone() -> None:
    asked = {file.name for file in modules("spark_jobs") for node in calls(file) if _attribute(node) == "sql"}
    assert asked == {"tables.py", "compact.py"}


def test_the_pages_take_markup_from_their_own_server_alone() -> None:
    risky = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(")
    lines = [(file.name, line.strip()) for file in (CHECKOUT / "ui" / "static").glob("*.js") for line in _lines(file)]
    assert [one for one in lines if risky.search(one[1])] == [("trace.js", "body.innerHTML = await reply.text();")]
    assert "autoescape=True" in (CHECKOUT / "ui" / "render.py").read_text()
    assert not [file for file in tracked() if "templates" in file.parts and re.search(r"\|\s*safe\b", file.read_text())]


def test_no_label_of_a_metric_is_what_a_stranger_wrote() -> None:
    measured = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    labels = {label for one in measured for label in one._labelnames}
    assert {"route", "status"} <= labels
    assert not labels & {"title", "page", "comment", "summary", "section", "text", "user", "wiki", "question", "url"}


def test_processes_are_started_in_named_files_alone() -> None:
    """Ruff's rules of safety hold everywhere; those about processes are let off for these files and no folder."""
    lint = PROJECT["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S") and rule != "SIM905"]
    let_off = {name for name, rules in lint["per-file-ignores"].items() if any(rule.startswith("S") for rule in rules)}
    assert {name for name in let_off if not name.endswith(".py")} == {"tests/**"}


def _named(node: ast.Call) -> tuple[str, str] | None:
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return node.func.value.id, node.func.attr
    return None


def _attribute(node: ast.Call) -> str | None:
    return node.func.attr if isinstance(node.func, ast.Attribute) else None


def _is_written(node: ast.expr) -> bool:
    """Whether it is a text that is put together. `sql.SQL(...).format` is safe."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return isinstance(node.func.value, ast.Constant)
    return isinstance(node, ast.JoinedStr | ast.BinOp)


def _is_constant(file: Path, node: ast.expr) -> bool:
    """Whether nothing but constants of its module is in it."""
    if isinstance(node, ast.JoinedStr):
        put = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return all(_is_constant(file, value) for value in put)
    if isinstance(node, ast.Name):
        return node.id.isupper() or (file.name, node.id) in CHOSEN
    return isinstance(node, ast.Constant)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()
