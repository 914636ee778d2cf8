"""Writes `docs/licences.md`, every locked package and jar with its licence: `.venv/bin/python scripts/licences.py`.

A package says it in its metadata, a jar in its POM or manifest. What is not installed here is listed without one.
"""

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from freshet.settings import CHECKOUT, load_settings
from local import jars

FILE: Final = CHECKOUT / "docs" / "licences.md"
ABSENT: Final = "not installed here"
HEAD: Final = """# Licences

Of every package in `requirements.lock` and every jar in `local/jars.lock.json`, as they say themselves. Made by
`scripts/licences.py`; `tests/house/test_licences.py` compares it with both locks and names what is not permissive.
"""
LOCKED: Final = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)

NAMES: Final = {
    "MIT License": "MIT",
    "MIT": "MIT",
    "The MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache Software License v2": "Apache-2.0",
    "BSD License": "BSD",
    "3-Clause BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "BSD-derived (http://www.repoze.org/LICENSE.txt)": "BSD",
    "MIT -or- Apache License 2.0": "MIT OR Apache-2.0",
    "Artistic License": "Artistic-1.0-Perl OR GPL-2.0-or-later",
    "The Apache Software License, Version 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "The Apache License, Version 2.0": "Apache-2.0",
    "https://opensource.org/licenses/BSD-2-Clause;description=BSD 2-Clause License": "BSD-2-Clause",
    "Public Domain, per Creative Commons CC0": "CC0-1.0",
    "CDDL + GPLv2 with classpath exception": "CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
}
"""What packages write in other words than SPDX's."""

UNSAID: Final = {
    "atheris": "Apache-2.0",
    "axe-playwright-python": "MIT",
    "openlineage-sql": "Apache-2.0",
    "com.dynatrace.hash4j": "Apache-2.0",
    "com.google.re2j": "BSD-3-Clause",
    "com.yammer.metrics": "Apache-2.0",
    "io.delta": "Apache-2.0",
    "io.openlineage": "Apache-2.0",
    "io.unitycatalog": "Apache-2.0",
    "org.apache.kafka": "Apache-2.0",
    "org.apache.spark": "Apache-2.0",
    "org.pcollections": "MIT",
    "org.roaringbitmap": "Apache-2.0",
    "org.scala-lang": "Apache-2.0",
    "org.slf4j": "MIT",
}
"""Packages, and groups of jars, that do not say it: as their projects do."""


def packages() -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of each locked package."""
    for name, version in LOCKED.findall((CHECKOUT / "requirements.lock").read_text()):
        yield name, version, _of_package(name)


def locked_jars() -> Iterator[tuple[str, str, str]]:
    """The same of each jar that every installation has."""
    for jar_set in jars.SETS:
        for jar in jars.locked(jar_set):
            said = _of_jar(jar.path(load_settings().jars_dir / jar_set))
            yield f"{jar.group}:{jar.name}", jar.version, said or UNSAID[jar.group]


def main() -> None:
    """Write the file."""
    tables = (("Python", packages()), ("Jars", locked_jars()))
    FILE.write_text(HEAD + "".join(_table(title, rows) for title, rows in tables))


def _of_package(name: str) -> str:
    try:
        said = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ABSENT
    classes = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
    words = (said.get("License") or "").partition("\n")[0]
    short = words if len(classes) != 1 and len(words) < 60 else ""
    found = said.get("License-Expression") or short or " OR ".join(classes) or UNSAID[name]
    return NAMES.get(found, found)


def _of_jar(file: Path) -> str:
    """By its POM, else by its manifest."""
    with ZipFile(file) as jar:
        poms = [name for name in jar.namelist() if re.fullmatch(r"META-INF/maven/.*/pom\.xml", name)]
        texts = [jar.read(name).decode().replace("\r\n ", "") for name in (*poms[:1], "META-INF/MANIFEST.MF")]
    found = re.search(r"<licenses>.*?<name>\s*(.*?)\s*</name>", texts[0], re.DOTALL)
    found = found or re.search(r"^Bundle-License: *(.*?)\s*$", texts[-1], re.MULTILINE)
    said = found[1] if found else ""
    return "Apache-2.0" if "apache.org/licenses/LICENSE-2.0" in said else NAMES.get(said, said)


def _table(title: str, rows: Iterator[tuple[str, str, str]]) -> str:
    lines = [f"| {name} | {version} | {licence} |\n" for name, version, licence in rows]
    return f"\n## {title}\n\n| name | version | licence |\n|---|---|---|\n" + "".join(lines)


if __name__ == "__main__":
    main()
