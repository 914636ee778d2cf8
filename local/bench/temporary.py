"""A stack, or a database, of one measurement's own, which is gone afterwards."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from freshet.settings import Settings, load_settings
from freshet.store.migrate import migrate
from local import launch, ports, source


@contextmanager
def temporary_stack(
    say: launch.Report,
    *,
    only: Sequence[str] = (),
    hold: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Iterator[Settings]:
    """Settings of a stack that runs until the block ends; `only` names the processes when not all are wanted."""
    with temporary_settings(overrides or {}) as settings:
        launch.up(settings, detach=False, report=say, only=only, hold=hold)
        try:
            yield settings
        finally:
            launch.down(settings)


@contextmanager
def temporary_settings(overrides: Mapping[str, Any]) -> Iterator[Settings]:
    """Settings on free ports with a state folder that is removed when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-bench-"))
    # an unprivileged Postgres must pass through it
    folder.chmod(0o755)
    names = [name for name in Settings.model_fields if name.endswith("_port")]
    free = dict(zip(names, ports.find_free(len(names)), strict=True))
    settings, _ = source.resolve(load_settings(state_dir=folder, **{**free, **overrides}))
    try:
        yield settings
    finally:
        launch.remove_state(settings)


@contextmanager
def temporary_database(conninfo: str) -> Iterator[str]:
    """Connection string of a database with the store's tables that is dropped when the block ends."""
    name = f"freshet_bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            own = make_conninfo(conninfo, dbname=name)
            migrate(own)
            yield own
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
