"""What `compose.yaml` needs before its first start: secrets, a file each, and `.env`.

Also `python -m local.deployment`, with Python's own library alone, for a machine that has nothing but Docker.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Final


class Part(StrEnum):
    """A profile of compose.yaml that can be left out."""

    AIRFLOW = "airflow"
    MONITORING = "monitoring"


SECRETS: Final = ".secrets"
ENV: Final = ".env"

SIMULATED: Final = {
    "FRESHET_SOURCE": "simulated",
    "FRESHET_STREAM_URL": "http://eventstreams:18081/v2/stream/recentchange",
    "FRESHET_CONTEXT_SOURCE": "http://wikidata:18094/w/api.php",
}
ABSENT: Final = {Part.AIRFLOW: "FRESHET_AIRFLOW_URL", Part.MONITORING: "FRESHET_ALERTMANAGER_URL"}
"""The address that is empty for the others when a part is left out."""

_READABLE: Final = 0o644
"""Compose mounts a file with the owner and mode that it has here, whoever the container runs as. So everybody may read
it, and only its owner may enter the folder."""

HEAD: Final = """\
# Made by `freshet init`. Any setting of .env.example may have a line here, but no password and no key: those are files
# in .secrets/.

# what `docker compose up` starts
COMPOSE_PROFILES={profiles}

# the address that the pages, the API, Airflow and Grafana are published on: this machine alone
PUBLISH_ON=127.0.0.1
"""


def initialise(folder: Path, *, simulated: bool = False, without: Collection[Part] = (), force: bool = False) -> Path:
    """Generate the secrets and write `.env`. Returns the folder of the secrets.

    Raises FileExistsError when some of it is there, unless it may be replaced.
    """
    place, env, made = folder / SECRETS, folder / ENV, generated()
    there = [str(file.relative_to(folder)) for file in (env, *(place / name for name in made)) if file.exists()]
    if there and not force:
        raise FileExistsError(
            f"kept as they are: {', '.join(there)}. --force makes new ones; a Postgres with data keeps its old password"
        )
    place.mkdir(mode=0o700, exist_ok=True)
    place.chmod(0o700)
    for name, secret in made.items():
        _write(place / name, secret, _READABLE)
    _write(env, _env(simulated, without), 0o600)
    return place


def generated() -> dict[str, str]:
    """Every secret of compose.yaml, by the name of its file. Those of others are empty until somebody fills them in."""
    postgres = secrets.token_urlsafe(24)
    return {
        "postgres_password": postgres,
        "freshet_postgres_dsn": f"postgresql://freshet:{postgres}@postgres:5432/freshet",
        "freshet_airflow_password": secrets.token_urlsafe(18),
        "grafana_admin_password": secrets.token_urlsafe(18),
        "freshet_openai_api_key": "",
        "freshet_api_key": "",
        "freshet_alert_webhook_url": "",
    }


def _env(simulated: bool, without: Collection[Part]) -> str:
    parts = ["core", *(part for part in Part if part not in without)]
    settings = {ABSENT[part]: "" for part in without}
    if simulated:
        parts.append("simulated")
        settings |= SIMULATED
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    return HEAD.format(profiles=",".join(parts)) + (f"\n{lines}" if lines else "")


def _write(file: Path, content: str, mode: int) -> None:
    """As a new file: it never has a wider mode than it is to have."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        stream.write(content)
    new.chmod(mode)
    new.rename(file)


def main() -> None:
    """Make them in the working directory."""
    parser = argparse.ArgumentParser(prog="python -m local.deployment", description=__doc__)
    parser.add_argument("--simulated", action="store_true", help="simulated edits instead of the live stream")
    parser.add_argument("--without", action="append", default=[], type=Part, help="airflow or monitoring")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    asked = parser.parse_args()
    place = initialise(Path.cwd(), simulated=asked.simulated, without=asked.without, force=asked.force)
    sys.stdout.write(f"{place} and {ENV} are made; next: docker compose up --detach --build\n")


if __name__ == "__main__":
    try:
        main()
    except FileExistsError as error:
        sys.exit(f"error: {error}")
