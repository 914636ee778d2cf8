"""`make setup` and `freshet doctor` name what is missing, with how to get it."""

import os
import subprocess
from pathlib import Path

import pytest

from freshet.settings import CHECKOUT
from local import doctor

TOOLS = ("bash", "dirname", "uname", "sed", "head", "id", "cat")


def bare_path(folder: Path) -> str:
    """A PATH with the shell's tools and neither Python, nor Java, nor apt-get."""
    for tool in TOOLS:
        (folder / tool).symlink_to(next(p for d in os.environ["PATH"].split(":") if (p := Path(d) / tool).exists()))
    return str(folder)


def test_setup_names_every_missing_prerequisite_with_how_to_get_it(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", CHECKOUT / "scripts" / "setup.sh"],
        env={"PATH": bare_path(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Python 3.11" in done.stderr
    assert "Java 17" in done.stderr
    assert "apt-get install" in done.stderr
    assert "brew install" in done.stderr


def test_doctor_finds_no_java_and_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.java()
    assert not finding.well
    assert "openjdk" in finding.advice


def test_doctor_refuses_a_java_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert not doctor.java().well
