"""House rules: what was told twice became a test."""

import ast
import importlib.metadata
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from freshet.settings import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
ROOMS = [name for name in PACKAGES if name != "freshet"]
NOT_IN_FRESHET = {*ROOMS, "pyspark", "airflow", "gradio"}
MAX_LINES = 300


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True).stdout
    return [CHECKOUT / name for name in listed.decode().split("\0") if name and (CHECKOUT / name).exists()]


def modules(package: str) -> list[Path]:
    return sorted((CHECKOUT / package).rglob("*.py"))


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", PACKAGES)
def test_rooms_share_only_freshet_and_freshet_imports_no_room(room: str) -> None:
    forbidden = NOT_IN_FRESHET if room == "freshet" else set(ROOMS) - {room}
    found = {str(file.relative_to(CHECKOUT)): set(imports(file)) & forbidden for file in modules(room)}
    assert not {file: names for file, names in found.items() if names}


def test_the_pages_know_the_api_over_http_alone() -> None:
    forbidden = {"psycopg", "pgvector", "confluent_kafka", "deltalake", "pyspark", "openai", "onnxruntime", "numpy"}
    names = {name for file in modules("ui") for name in imports(file)}
    assert not names & forbidden
    text = "".join(file.read_text() for file in modules("ui"))
    assert "freshet.store" not in text
    assert "freshet.log" not in text


def test_only_settings_reads_the_environment() -> None:
    # they pass it on
    allowed = {
        "settings.py",
        "guard.py",
        "launch.py",
        "supervisor.py",
        "backlog.py",
        "beside.py",
        "session.py",
        "submit.py",
        "airflow/__main__.py",
        "backup/dump.py",
        # what Gradio itself reads
        "ui/__main__.py",
    }
    readers = [
        str(file)
        for package in PACKAGES
        for file in modules(package)
        if re.search(r"os\.environ|os\.getenv", file.read_text()) and not str(file).endswith(tuple(allowed))
    ]
    assert not readers


def test_sql_is_in_the_store_alone() -> None:
    pattern = re.compile(r"\"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE) ")
    allowed = {CHECKOUT / "local" / "readiness.py"}  # SELECT 1
    found = [
        str(file.relative_to(CHECKOUT))
        for room in ROOMS
        if room != "spark_jobs"
        for file in modules(room)
        if file not in allowed and pattern.search(file.read_text())
    ]
    assert not found


def test_no_value_is_written_into_a_statement() -> None:
    found = [
        f"{file.name}:{node.lineno}"
        for file in modules("freshet/store")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call) and _writes_into_sql(node)
    ]
    assert not found


def _writes_into_sql(node: ast.JoinedStr | ast.BinOp | ast.Call) -> bool:
    """Whether it puts anything but a constant of its module into a text that is SQL. `sql.SQL(...).format` is safe."""
    if isinstance(node, ast.JoinedStr):
        put = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        constant = all(isinstance(value, ast.Name) and value.id.isupper() for value in put)
        return not constant and any(_is_sql(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _is_sql(node.left) or _is_sql(node.right)
    return isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "replace") and _is_sql(node.func.value)


def _is_sql(node: ast.AST) -> bool:
    words = r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|SET|CREATE|ORDER BY)\b"
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.search(words, node.value))


def test_a_file_is_a_page() -> None:
    long = {str(file): len(file.read_text().splitlines()) for package in PACKAGES for file in modules(package)}
    assert not {file: lines for file, lines in long.items() if lines > MAX_LINES}


def test_no_module_is_called_after_nothing() -> None:
    names = {"utils", "helpers", "common", "manager", "misc"}
    assert not [file for package in PACKAGES for file in modules(package) if file.stem in names]


def test_every_room_has_a_readme() -> None:
    assert not [room for room in PACKAGES if not (CHECKOUT / room / "README.md").exists()]


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    forbidden = re.compile(r"https?://[^ \"']*/(simple|maven2|packages/[0-9a-f]{2})|/root/|/home/[a-z]+/|/Users/")
    itself = Path(__file__)
    found = [
        f"{file.relative_to(CHECKOUT)}: {match[0]}"
        for file in tracked()
        if file != itself and (match := forbidden.search(file.read_text(errors="replace")))
    ]
    assert not found


def test_no_lock_that_names_addresses_is_committed() -> None:
    assert not (CHECKOUT / "uv.lock").exists()
    assert "://" not in (CHECKOUT / "requirements.lock").read_text().replace("# via", "")


def test_nobody_else_provides_our_packages() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {
        name: sorted(set(owners.get(name, []))) for name in PACKAGES if set(owners.get(name, [])) - {"freshet"}
    } == {}


def test_the_lock_holds_every_dependency() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text()
    wanted = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    names = [re.match(r"[A-Za-z0-9-]+", line)[0].lower() for line in wanted]  # type: ignore[index]
    assert not [name for name in names if not re.search(rf"^{name}==", lock, flags=re.MULTILINE)]


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z]+)", (CHECKOUT / "README.md").read_text(), flags=re.MULTILINE))
    assert named
    assert named <= targets


def test_every_freshet_command_in_the_documents_exists() -> None:
    from typer.main import get_command

    from local.cli import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    documents = [file for file in tracked() if file.suffix == ".md" and "decisions" not in file.parts]
    named = {name for file in documents for name in re.findall(r"(?:^|[`/])freshet ([a-z-]+)", file.read_text(), re.M)}
    assert named <= known
