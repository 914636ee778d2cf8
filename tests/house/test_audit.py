"""`make audit` says that nothing is wrong only where everything was looked at."""

import shutil
import subprocess
from pathlib import Path

import pytest

from freshet.settings import CHECKOUT

SKIPPED = "Name Skip Reason\\na2wsgi Dependency not found on PyPI and could not be audited: a2wsgi (1.10.10)"


@pytest.mark.parametrize(
    ("said", "code", "ends_with", "words"),
    [
        ("No known vulnerabilities found", 0, 0, "no known weakness"),
        ("Found 1 known vulnerability in 1 package\\njinja2 3.1.6 PYSEC-1", 1, 1, "PYSEC-1"),
        (SKIPPED, 0, 3, "1 packages are not known"),
        (f"Found 1 known vulnerability in 1 package\\njinja2 3.1.6 PYSEC-1\\n{SKIPPED}", 1, 1, "PYSEC-1"),
        ("ConnectionError: Max retries exceeded", 1, 3, "NOT audited"),
    ],
    ids=["nothing is known", "a weakness", "packages that nobody knows", "both", "no network"],
)
def test_what_could_not_be_audited_is_not_called_well(
    tmp_path: Path, said: str, code: int, ends_with: int, words: str
) -> None:
    done = audit(tmp_path, f"printf '{said}\\n'; exit {code}")
    assert done.returncode == ends_with
    assert words in done.stdout + done.stderr


def test_without_pip_audit_nothing_is_audited(tmp_path: Path) -> None:
    done = audit(tmp_path, "exit 0", version="exit 1")
    assert done.returncode == 3
    assert "pip-audit cannot be had" in done.stderr


def audit(folder: Path, audits: str, version: str = "exit 0") -> subprocess.CompletedProcess[str]:
    """The script, with a pip-audit that says this."""
    (folder / "scripts").mkdir()
    (folder / ".venv" / "bin").mkdir(parents=True)
    script, uv = folder / "scripts" / "audit.sh", folder / ".venv" / "bin" / "uv"
    shutil.copy(CHECKOUT / "scripts" / "audit.sh", script)
    uv.write_text(f'#!/bin/sh\ncase "$*" in *--version*) {version} ;; *) {audits} ;; esac\n')
    uv.chmod(0o755)
    return subprocess.run([script], capture_output=True, text=True, check=False)
