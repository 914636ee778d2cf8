"""Migrations on a real database."""

import multiprocessing
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet.errors import PermanentError, TransientError
from freshet.store.migrate import FOLDER, migrate, migrations

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "migrations"))


def test_an_empty_database_gets_every_migration_once(database: str) -> None:
    assert migrate(database) == [migration.name for migration in migrations()]
    assert migrate(database) == []


def test_processes_that_start_together_migrate_once(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(database), range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]


def test_a_changed_migration_is_named(database: str, folder: Path) -> None:
    migrate(database, folder)
    changed = folder / "0001_documents.sql"
    changed.write_text(changed.read_text() + "-- one more thought\n")
    with pytest.raises(PermanentError, match="0001_documents"):
        migrate(database, folder)


def test_a_database_newer_than_the_code_is_refused(database: str, folder: Path) -> None:
    (folder / "9999_later.sql").write_text("SELECT 1")
    migrate(database, folder)
    with pytest.raises(PermanentError, match="9999"):
        migrate(database)


def test_a_migration_that_fails_leaves_nothing_behind(database: str, folder: Path) -> None:
    migrate(database, folder)
    (folder / "9999_bad.sql").write_text("CREATE TABLE half (id integer); SELECT 1 FROM nowhere")
    with pytest.raises(psycopg.errors.UndefinedTable):
        migrate(database, folder)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM schema_migrations").fetchone() == (len(migrations()),)


def test_killed_in_the_middle_of_a_migration_the_next_start_does_it_whole(database: str, folder: Path) -> None:
    migrate(database, folder)
    slow = folder / "9999_slow.sql"
    slow.write_text("CREATE TABLE half (id integer); SELECT pg_sleep(3600)")
    killed = multiprocessing.get_context("spawn").Process(target=migrate, args=(database, folder))
    killed.start()
    until_asleep(database)
    killed.kill()
    killed.join()
    slow.write_text("CREATE TABLE half (id integer); CREATE TABLE other (id integer)")
    assert migrate(f"{database}?options=-c%20lock_timeout%3D30s", folder) == ["9999_slow"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('half'), to_regclass('other')").fetchone() == ("half", "other")


@retry(retry=retry_if_result(lambda asleep: not asleep), wait=wait_fixed(0.05), stop=stop_after_delay(60))
def until_asleep(database: str) -> bool:
    with psycopg.connect(database) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchall())


def test_a_server_that_is_away_is_transient() -> None:
    with pytest.raises(TransientError):
        migrate("postgresql://freshet@127.0.0.1:9/freshet?connect_timeout=2")
