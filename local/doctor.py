"""What this machine has and lacks, each finding with what to do about it."""

import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from freshet import airflow_access
from freshet.errors import FreshetError
from freshet.settings import CHECKOUT, Settings
from local import jars, monitoring, ports, stack
from local.supervisor import Supervisor

MIN_JAVA = 17
MIN_MEMORY_GB = 5
MIN_DISK_GB = 5
JAVA_ADVICE = (
    "install Java 17 or newer: `apt-get install openjdk-17-jre-headless` (Debian, Ubuntu), "
    "`dnf install java-21-openjdk-headless` (Fedora), `brew install openjdk` (macOS)"
)


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it is well, what was seen, and what to do if not."""

    check: str
    well: bool
    seen: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks, one by one."""
    yield _system()
    yield _python()
    yield java()
    yield _memory()
    yield _disk(settings)
    yield _packages()
    yield from _jars(settings)
    if airflow_access.embedded(settings):
        yield _airflow()
    yield _ports(settings)
    yield _python_registry()
    yield _maven_registry()
    yield _optional("chromium", "chromium", "chromium")
    yield _optional("prometheus", "prometheus", *monitoring.PROMETHEUS)
    yield _optional("alertmanager", "prometheus-alertmanager", *monitoring.ALERTMANAGER)


def java() -> Finding:
    """A Java runtime that Spark accepts."""
    try:
        said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    except FileNotFoundError:
        return Finding("java", False, "not found", JAVA_ADVICE)
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    version = int(match[1]) if match else 0
    return Finding("java", version >= MIN_JAVA, said.splitlines()[0] if said else "unknown", JAVA_ADVICE)


def _system() -> Finding:
    system = platform.system()
    return Finding("system", system in ("Linux", "Darwin"), platform.platform(), "Freshet runs on Linux and macOS")


def _python() -> Finding:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("python", fits, platform.python_version(), "use Python 3.11, 3.12 or 3.13, then `make setup`")


def _memory() -> Finding:
    available = psutil.virtual_memory().available / 1e9
    return Finding("memory", available >= MIN_MEMORY_GB, f"{available:.1f} GB available", f"free {MIN_MEMORY_GB} GB")


def _disk(settings: Settings) -> Finding:
    folder = next(path for path in (settings.state_dir, *settings.state_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free / 1e9
    advice = f"free {MIN_DISK_GB} GB, or move FRESHET_STATE_DIR"
    return Finding("disk", free >= MIN_DISK_GB, f"{free:.0f} GB free at {folder}", advice)


def _packages() -> Finding:
    lock = (CHECKOUT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)(?= \\)", lock, flags=re.MULTILINE))
    other = [name for name, version in locked.items() if _installed(name) != version]
    seen = f"{len(locked)} as locked" if not other else f"not as locked: {', '.join(other)}"
    return Finding("packages", not other, seen, "run `make setup`")


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _jars(settings: Settings) -> Iterator[Finding]:
    for jar_set in jars.SETS:
        wrong = [jar.name for jar in jars.locked(jar_set) if not jar.is_right(settings.jars_dir / jar_set)]
        seen = "all there, sha256 as locked" if not wrong else f"missing or wrong: {', '.join(wrong)}"
        yield Finding(f"jars of {jar_set}", not wrong, seen, "run `make setup`; it needs a Maven repository")


def _python_registry() -> Finding:
    """Asks the index that uv is configured with for a package of the lock, afresh, and installs nothing."""
    ask = ["pip", "install", "--dry-run", "--no-deps", "--reinstall", "--refresh", "--quiet"]
    command = [str(Path(sys.executable).with_name("uv")), *ask, "--python", sys.executable, "sseclient-py"]
    return _registry("registry of Python packages", command, timeout_s=30)


def _maven_registry() -> Finding:
    """Resolves one small artifact through Ivy's own repository, into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as scratch:
        jar = next(jar for jar in jars.locked("kafka") if jar.name == "slf4j-simple")
        return _registry("registry of jars", jars.ivy_command([jar], Path(scratch), Path(scratch)), timeout_s=60)


def _registry(check: str, command: list[str], timeout_s: float) -> Finding:
    """A registry is needed by `make setup` alone, so one that is away is told and is no fault."""
    try:
        there = subprocess.run(command, capture_output=True, check=False, timeout=timeout_s).returncode == 0
    except (subprocess.TimeoutExpired, FileNotFoundError):
        there = False
    return Finding(check, True, "reachable" if there else "NOT reachable; only `make setup` needs it")


def _airflow() -> Finding:
    """The locked Airflow, and its command beside this Python."""
    version = _installed("apache-airflow")
    there = version is not None and Path(sys.executable).with_name("airflow").exists()
    return Finding(
        "airflow", there, version or "not installed", "run `make setup`, or leave it out: FRESHET_AIRFLOW=false"
    )


def _ports(settings: Settings) -> Finding:
    if Supervisor(settings).is_up():
        return Finding("ports", True, "held by the running stack")
    try:
        ports.check(stack.declare(settings))
    except FreshetError as error:
        return Finding("ports", False, str(error), "free them, or set the named settings")
    return Finding("ports", True, "all free")


def _optional(check: str, package: str, *names: str) -> Finding:
    path = next(filter(None, map(shutil.which, names)), None)
    return Finding(f"{check} (optional)", True, path or f"not found; `apt-get install {package}` where wanted")
