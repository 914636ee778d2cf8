"""How a declared process is started: under the guard, with its pid file."""

import sys
from pathlib import Path

from freshet.settings import Settings
from local import entrusted
from local.process import Process


def run_folder(settings: Settings) -> Path:
    """Folder of pid files, sockets and the supervisor's configuration."""
    folder = settings.state_dir / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def guarded(process: Process, settings: Settings) -> list[str]:
    """The command line that becomes the process: it cannot outlive its supervisor unseen."""
    command = [
        sys.executable, "-m", "local.guard",
        "--pid-file", str(run_folder(settings) / f"{process.name}.pid"),
        "--death-signal", process.stop_signal,
        "--without", ",".join(entrusted.withheld(process.name)),
    ]  # fmt: skip
    if process.user:
        command += ["--user", process.user]
    if process.niceness:
        command += ["--nice", str(process.niceness)]
    if process.folder:
        command += ["--folder", str(process.folder)]
    for name, value in process.environment.items():
        command += ["--set", f"{name}={value}"]
    return [*command, "--", *process.command]
