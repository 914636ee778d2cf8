"""What compose.yaml and the Dockerfile say, read, and which of our modules a process can reach."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from freshet.settings import CHECKOUT

OURS = ("dags", "freshet", "producer", "spark_jobs", "indexer", "context", "api", "ui", "monitoring", "local")


@dataclass(frozen=True)
class Reached:
    """Modules of ours, and the modules of others that these import, somewhere and at any time."""

    modules: frozenset[str]
    others: frozenset[str]

    @property
    def files(self) -> set[Path]:
        """The files of ours, by their paths in the checkout."""
        return {file.relative_to(CHECKOUT) for name in self.modules if (file := _file(name))}


def reached(modules: tuple[str, ...]) -> Reached:
    """What processes that run these modules can import."""
    waiting = [*modules, *(f"{name}.__main__" for name in modules)]
    ours: set[str] = set()
    others: set[str] = set()
    while waiting:
        name = waiting.pop()
        file = _file(name)
        if name in ours or file is None:
            continue
        ours.add(name)
        parts = name.split(".")
        waiting += [".".join(parts[:count]) for count in range(1, len(parts))]
        for imported in _imports(file):
            if imported.partition(".")[0] in OURS:
                waiting.append(imported)
            elif imported.partition(".")[0] not in sys.stdlib_module_names:
                others.add(imported)
    return Reached(frozenset(ours), frozenset(others))


def _file(module: str) -> Path | None:
    path = CHECKOUT.joinpath(*module.split("."))
    found = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in found if file.is_file()), None)


LOCATORS = ("find_spec", "PackagedFile")
"""What finds a package without importing it."""


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in LOCATORS:
            yield from (one.value for one in node.args[:1] if isinstance(one, ast.Constant))


@dataclass(frozen=True)
class Stage:
    """One FROM of the Dockerfile, with the instructions up to the next."""

    name: str
    base: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """The arguments of every instruction of this kind."""
        return [arguments for name, arguments in self.instructions if name == instruction]


def stages() -> dict[str, Stage]:
    """The stages of the Dockerfile, by name."""
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", (CHECKOUT / "Dockerfile").read_text(), flags=re.MULTILINE))
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line[0] == "FROM"]
    found = {}
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        base, _, name = lines[start][1].partition(" AS ")
        found[name] = Stage(name, base, tuple((one, rest) for one, rest in lines[start + 1 : end]))
    return found


def lineage(name: str) -> list[Stage]:
    """A stage and those that it is made from, itself last."""
    known = stages()
    chain = [known[name]]
    while chain[0].base in known:
        chain.insert(0, known[chain[0].base])
    return chain


def copied(target: str) -> set[Path]:
    """The files of the checkout that a target has, by their paths there and in the image."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT, capture_output=True, check=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    sources = [
        source
        for stage in lineage(target)
        for arguments in stage.all("COPY")
        if not arguments.startswith("--from=")
        for source in arguments.split()[:-1]
    ]
    return {Path(file) for file in listed if any(file == one or file.startswith(f"{one}/") for one in sources)}


def exec_form(arguments: str) -> list[str]:
    """The words of a command in exec form."""
    words: list[str] = json.loads(arguments)
    return words


def compose() -> dict[str, Any]:
    """compose.yaml, its merges done and its variables as they are written."""
    return dict(yaml.safe_load((CHECKOUT / "compose.yaml").read_text()))


VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:?-)(?P<default>[^${}]*)\}")


def filled(text: str, **given: str) -> str:
    """The text with each variable as given, else its default."""

    def value(found: re.Match[str]) -> str:
        known = given.get(found["name"])
        return found["default"] if known is None or (found["operator"] == ":-" and not known) else known

    # from within: a default may have a variable in it
    while VARIABLE.search(text):
        text = VARIABLE.sub(value, text)
    return text


def command(service: dict[str, Any]) -> list[str]:
    """What the container runs: the service's own command, else that of the image."""
    given: list[str] = service.get("command") or exec_form(stages()[service["build"]["target"]].all("CMD")[0])
    return given


def health(service: dict[str, Any]) -> list[str]:
    """How the container is asked whether it is well; nothing when it is not."""
    own = service.get("healthcheck", {})
    if own.get("disable"):
        return []
    if "test" in own:
        return list(own["test"][1:])
    (check,) = stages()[service["build"]["target"]].all("HEALTHCHECK")
    return exec_form(check.partition("CMD ")[2])
