"""Brings the store's schema up to date: numbered SQL files, each applied once, in order, in its own transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from freshet.errors import PermanentError
from freshet.store.failures import translated
from freshet.store.locks import Lock

FOLDER = Path(__file__).with_name("migrations")


@dataclass(frozen=True)
class Migration:
    """One SQL file, `NNNN_name.sql`."""

    version: int
    name: str
    script: bytes

    @property
    def sha256(self) -> str:
        """Of the file; it must not change once it is applied."""
        return hashlib.sha256(self.script).hexdigest()


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The migrations in order."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(int(file.stem[:4]), file.stem, file.read_bytes()) for file in files]


def migrate(conninfo: str, folder: Path = FOLDER) -> list[str]:
    """Apply what the database does not have yet. Returns the names applied. Safe at any time, cheap when all is there.

    Raises PermanentError when an applied migration was changed or the database is newer than this code, and
    TransientError when Postgres is away.
    """
    with translated(), psycopg.connect(conninfo, autocommit=True) as connection:
        # else the server goes on with the statement of a process that was killed, and keeps its lock
        connection.execute("SET client_connection_check_interval = '1s'")
        # two processes that start together must not both migrate
        connection.execute("SELECT pg_advisory_lock(%s)", (Lock.MIGRATING,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL,"
            " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        wanted = missing(migrations(folder), _applied(connection))
        for migration in wanted:
            _apply(connection, migration)
        return [migration.name for migration in wanted]


def lacking(conninfo: str, folder: Path = FOLDER) -> list[str]:
    """Names of the migrations that `migrate` would apply; nothing is changed. Raises as it does."""
    with translated(), psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
        return [migration.name for migration in missing(migrations(folder), _applied(connection))]


def applied(connection: psycopg.Connection) -> list[str]:
    """Names of the migrations that a database has, in order; none of one that is not the store's."""
    if connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,):
        return []
    return [name for (name,) in connection.execute("SELECT name FROM schema_migrations ORDER BY version").fetchall()]


def missing(known: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """The known migrations that are not applied. `applied` is sha256 by version. Raises PermanentError, see migrate."""
    newer = sorted(applied.keys() - {migration.version for migration in known})
    if newer:
        raise PermanentError(
            f"the database has migration {newer[-1]:04}, which this code does not know: update Freshet"
        )
    for migration in known:
        if applied.get(migration.version, migration.sha256) != migration.sha256:
            raise PermanentError(f"migration {migration.name} was changed after it was applied: add a new one instead")
    return [migration for migration in known if migration.version not in applied]


def _applied(connection: psycopg.Connection) -> dict[int, str]:
    if not applied(connection):
        return {}
    return dict(connection.execute("SELECT version, sha256 FROM schema_migrations").fetchall())


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.script)
        connection.execute(
            "INSERT INTO schema_migrations (version, name, sha256) VALUES (%s, %s, %s)",
            (migration.version, migration.name, migration.sha256),
        )
