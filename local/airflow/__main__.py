"""`python -m local.airflow api-server|scheduler|dag-processor`: becomes that component, once its database is ready.

The first component that starts makes the database and brings it up to date; the others wait for that. `init` does only
that, for whoever starts the components elsewhere.
"""

import fcntl
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from freshet.errors import FreshetError, PermanentError
from freshet.settings import Settings, load_settings
from freshet.store.databases import ensure_database
from freshet.telemetry import logs
from local.airflow import configuration

COMPONENTS: Final = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
INIT: Final = "init"


def main(component: Annotated[str, typer.Argument(help=", ".join((*COMPONENTS, INIT)))]) -> None:
    """Run one component of Airflow, or prepare for them."""
    if component not in (*COMPONENTS, INIT):
        raise typer.BadParameter(f"it is one of {', '.join((*COMPONENTS, INIT))}")
    settings = load_settings()
    program = Path(sys.executable).with_name("airflow")
    environment = {
        **os.environ,
        **configuration.environment(settings),
        # tasks find spark-submit there, and executors this very Python
        "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYSPARK_PYTHON": sys.executable,
    }
    _migrate(settings, program, environment)
    if component != INIT:
        os.execve(program, [str(program), *COMPONENTS[component]], environment)


def _migrate(settings: Settings, program: Path, environment: dict[str, str]) -> None:
    version = importlib.metadata.version("apache-airflow-core")
    folder = configuration.home(settings)
    done = folder / "migrated"
    with (folder / "migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = ensure_database(settings.conninfo, configuration.DATABASE)
        if not made and done.exists() and done.read_text() == version:
            return
        logs.get().info("bringing Airflow's database up to date", version=version)
        command = [str(program), "db", "migrate"]
        migrated = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if migrated.returncode:
            raise PermanentError(f"airflow db migrate failed:\n{migrated.stderr[-3000:]}")
        done.write_text(version)


if __name__ == "__main__":
    logs.configure("airflow")
    try:
        typer.run(main)
    except FreshetError as error:
        logs.end(error)
