"""What others let us use, and on which terms: `docs/licences.md` has all of it, and nothing in it is unwanted."""

import re
from typing import NamedTuple

from freshet.settings import CHECKOUT
from local import jars

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0",
    "Unlicense", "Zlib",
}  # fmt: skip
EXCEPTIONS = {
    # used as they are, by their interface alone
    "certifi": "MPL-2.0",
    "hypothesis": "MPL-2.0",
    "orjson": "MPL-2.0",
    "pathspec": "MPL-2.0",
    "tqdm": "MPL-2.0",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "psycopg-pool": "LGPL-3.0-only",
    # one of two that it may be taken under
    "text-unidecode": "Artistic-1.0-Perl",
    "javax.annotation:javax.annotation-api": "CDDL-1.0",
}
ELSEWHERE = {"audioop-lts", "colorama", "httpx2-jsfetch", "pyspark-client", "pyyaml-ft", "zstandard"}
"""Of other systems and Pythons than the one that the list was made on."""


class Listed(NamedTuple):
    name: str
    version: str
    licence: str


ROWS = [
    Listed(*row)
    for row in re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", (CHECKOUT / "docs" / "licences.md").read_text(), re.M)
    if row[0] != "name"
]


def test_the_list_is_that_of_both_locks() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text()
    packages = set(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock, re.MULTILINE))
    locked = {(f"{jar.group}:{jar.name}", jar.version) for jar_set in jars.SETS for jar in jars.locked(jar_set)}
    assert {(row.name, row.version) for row in ROWS} == packages | locked, "run scripts/licences.py"


def test_every_licence_is_permissive_or_a_named_exception() -> None:
    known = [row for row in ROWS if row.name not in ELSEWHERE]
    wrong = {row.name: row.licence for row in known if not _is_wanted(row)}
    assert not wrong
    assert set(EXCEPTIONS) <= {row.name for row in known if not _all_permissive(row.licence)}


def _is_wanted(row: Listed) -> bool:
    allowed = PERMISSIVE | ({EXCEPTIONS[row.name]} if row.name in EXCEPTIONS else set())
    return all(any(part in allowed for part in either) for either in _parts(row.licence))


def _all_permissive(licence: str) -> bool:
    return all(any(part in PERMISSIVE for part in either) for either in _parts(licence))


def _parts(licence: str) -> list[list[str]]:
    """An expression as what all must be met of, each with what it may be met by."""
    return [either.strip(" ()").split(" OR ") for either in licence.split(" AND ")]
