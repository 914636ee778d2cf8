"""The store's databases by Postgres' own pg_dump and pg_restore. No password is among their arguments."""

import os
import subprocess
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from freshet.errors import PermanentError
from local.postgres import WHEEL

# The wheel's has no zstd. Vectors hardly shrink, so what takes longer gains little.
DUMP: Final = ("--format=custom", "--compress=gzip:1", "--no-owner", "--no-privileges", "--no-password")
# Comments are on extensions, which only who made them may speak of. What fails leaves nothing behind.
RESTORE: Final = (
    "--no-owner", "--no-privileges", "--no-comments", "--exit-on-error", "--single-transaction", "--no-password",
)  # fmt: skip
# As the store itself builds its indexes: several processes share memory by files that a container may have no room for.
OPTIONS: Final = "-c max_parallel_maintenance_workers=0"


def dump(conninfo: str, file: Path, database: str | None = None) -> None:
    """Write one moment of a database to a file: that of `conninfo`, or another in its server. Raises PermanentError."""
    _run("pg_dump", conninfo, database, *DUMP, f"--file={file}")


def restore(conninfo: str, file: Path, database: str | None = None) -> None:
    """Fill an empty database from a dump: all of it or nothing. Raises PermanentError."""
    _run("pg_restore", conninfo, database, *RESTORE, str(file))


def _run(program: str, conninfo: str, database: str | None, *arguments: str) -> None:
    known = conninfo_to_dict(conninfo)
    secret = {"PGPASSWORD": str(password)} if (password := known.pop("password", None)) else {}
    where = make_conninfo(**{**known, "dbname": database or known.get("dbname")})  # type: ignore[arg-type]
    done = subprocess.run(
        [WHEEL / "bin" / program, *arguments, f"--dbname={where}"],
        env={**os.environ, "PGOPTIONS": OPTIONS, **secret},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PermanentError(f"{program}: {done.stderr.strip()[-1500:]}")
