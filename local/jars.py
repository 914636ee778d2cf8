"""The jars of Kafka, Spark and lineage events: fetched by Maven coordinates with Ivy, checked against a lock.

Run as `python -m local.jars [SET ...]`. What is already there and right is left alone.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import quoteattr

from freshet.errors import FreshetError, PermanentError
from freshet.settings import load_settings

LOCK = Path(__file__).with_name("jars.lock.json")

JarSet = Literal["kafka", "spark", "lineage"]
SETS: tuple[JarSet, ...] = ("kafka", "spark", "lineage")


@dataclass(frozen=True)
class Jar:
    """One artifact of the lock."""

    group: str
    name: str
    version: str
    sha256: str

    def path(self, folder: Path) -> Path:
        """Where the jar is kept under `folder`."""
        return folder / f"{self.name}-{self.version}.jar"

    def is_right(self, folder: Path) -> bool:
        """Whether the jar is there with the locked content."""
        file = self.path(folder)
        return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == self.sha256


def locked(jar_set: JarSet) -> list[Jar]:
    """The jars of a set as the lock names them."""
    return [Jar(**row) for row in json.loads(LOCK.read_text())[jar_set]]


def class_path(jars_dir: Path, jar_set: JarSet) -> list[Path]:
    """Paths of a set's jars. Raises PermanentError when one is missing."""
    paths = [jar.path(jars_dir / jar_set) for jar in locked(jar_set)]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise PermanentError(f"missing jars ({', '.join(missing[:3])}, ...): fetch them with `make setup`")
    return paths


def fetch(jars_dir: Path, jar_set: JarSet) -> int:
    """Fetch what is missing or wrong of a set into `jars_dir`. Returns how many were fetched.

    Raises PermanentError when a jar cannot be had or has another content than the lock says.
    """
    folder = jars_dir / jar_set
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [jar for jar in locked(jar_set) if not jar.is_right(folder)]
    if not wanted:
        return 0
    _retrieve(wanted, folder)
    wrong = [jar.path(folder) for jar in wanted if not jar.is_right(folder)]
    for path in wrong:
        path.unlink(missing_ok=True)
    if wrong:
        names = ", ".join(path.name for path in wrong)
        raise PermanentError(f"missing, or with another sha256 than {LOCK.name} says: {names}")
    return len(wanted)


def _retrieve(wanted: Sequence[Jar], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        command = ivy_command(wanted, Path(scratch), folder)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermanentError(f"Ivy could not fetch the jars; is a Maven repository reachable?\n{done.stdout[-2000:]}")


def ivy_command(wanted: Sequence[Jar], scratch: Path, folder: Path) -> list[str]:
    """The command that fetches jars into `folder`; `scratch` takes its cache and module file."""
    ivy = next((Path(_pyspark_home()) / "jars").glob("ivy-*.jar"))
    module = scratch / "ivy.xml"
    module.write_text(_ivy_module(wanted))
    return [
        "java", "-jar", str(ivy), "-cache", f"{scratch}/cache", "-ivy", str(module), "-confs", "default",
        "-retrieve", f"{folder}/[artifact]-[revision].[ext]", "-warn",
    ]  # fmt: skip


def _pyspark_home() -> str:
    import pyspark

    return str(Path(pyspark.__file__).parent)


def _ivy_module(wanted: Sequence[Jar]) -> str:
    rows = "".join(
        f"<dependency org={quoteattr(jar.group)} name={quoteattr(jar.name)} rev={quoteattr(jar.version)}"
        f' conf="default->master" transitive="false"/>'
        for jar in wanted
    )
    return (
        '<ivy-module version="2.0"><info organisation="freshet" module="jars"/>'
        f'<configurations><conf name="default"/></configurations><dependencies>{rows}</dependencies></ivy-module>'
    )


def main() -> None:
    """Fetch the sets that are named, or all, saying what was done."""
    parser = argparse.ArgumentParser(prog="python -m local.jars", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    wanted = parser.parse_args().sets or SETS
    if unknown := set(wanted) - set(SETS):
        parser.error(f"no such set: {', '.join(sorted(unknown))}")
    jars_dir = load_settings().jars_dir
    for jar_set in wanted:
        count = fetch(jars_dir, jar_set)
        sys.stdout.write(f"jars for {jar_set}: {count} fetched, all checked\n")


if __name__ == "__main__":
    try:
        main()
    except FreshetError as error:
        sys.exit(f"error: {error}")
