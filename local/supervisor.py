"""The supervisor: supervisord, its configuration made from the declarations, and its remote control."""

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet.errors import PermanentError
from freshet.settings import CHECKOUT, Settings
from local import entrusted
from local.process import Process
from local.supervision import guarded, run_folder

NAME = entrusted.SUPERVISOR


@dataclass(frozen=True)
class State:
    """What the supervisor says of a process. `name` of the state is supervisord's: RUNNING, BACKOFF, FATAL, ..."""

    state: str
    pid: int | None
    since: int
    detail: str


class Supervisor:
    """A running supervisord, spoken to through its socket."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"unix://{_socket(settings)}"

    @property
    def _remote(self) -> Any:
        # a new connection a call: the transport does not get over one that was refused, and threads cannot share it
        transport = SupervisorTransport(None, None, serverurl=self._url)
        return ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self._remote.getState()["statename"] == "RUNNING")
        except (OSError, Fault):
            return False

    def states(self) -> dict[str, State]:
        """State of every process, by name."""
        return {
            row["name"]: State(row["statename"], row["pid"] or None, row["start"], row["description"])
            for row in self._remote.getAllProcessInfo()
        }

    def start(self, name: str) -> None:
        """Start a process; returns at once."""
        self._remote.startProcess(name, False)

    def stop(self, name: str) -> None:
        """Stop a process and wait until it has ended. Nothing happens when it does not run."""
        try:
            self._remote.stopProcess(name, True)
        except Fault as error:
            if "NOT_RUNNING" not in error.faultString:
                raise

    def shutdown(self) -> None:
        """Tell it to end; it stops what still runs."""
        self._remote.shutdown()


def launch(
    settings: Settings, processes: Sequence[Process], environment: Mapping[str, str], detach: bool
) -> Supervisor:
    """Start supervisord with these processes, none of them running yet.

    Unless detached it ends, and all its processes with it, when the calling process dies.
    """
    configuration = run_folder(settings) / "supervisord.conf"
    with configuration.open("w") as file:
        _configuration(settings, processes).write(file)
    itself = Process(
        name=NAME,
        command=(sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)),
        ready=lambda: False,
    )
    command = guarded(itself, settings)
    if detach:
        position = command.index("--death-signal")
        del command[position : position + 2]
    log = (settings.state_dir / "logs" / f"{NAME}.log").open("ab")
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=CHECKOUT,
        env={**os.environ, **environment},
    )  # fmt: skip
    supervisor = Supervisor(settings)

    @retry(
        retry=retry_if_result(lambda up: not up),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(15),
        retry_error_callback=lambda _: False,
    )
    def until_up() -> bool:
        return child.poll() is not None or supervisor.is_up()

    if not until_up() or child.poll() is not None:
        raise PermanentError(f"the supervisor did not start: see {log.name}")
    return supervisor


def log_file(settings: Settings, name: str) -> Path:
    """Where a process' output is kept."""
    return settings.state_dir / "logs" / f"{name}.log"


def _socket(settings: Settings) -> Path:
    # a socket's path has at most 107 bytes, so it cannot be in the state folder
    digest = hashlib.sha256(str(settings.state_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"freshet-{os.getuid()}-{digest}.sock"


def _configuration(settings: Settings, processes: Sequence[Process]) -> ConfigParser:
    logs = settings.state_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    logs.chmod(0o700)
    configuration = ConfigParser(interpolation=None)
    configuration["unix_http_server"] = {"file": str(_socket(settings)), "chmod": "0700"}
    configuration["supervisord"] = {
        "logfile": "/dev/null",
        "logfile_maxbytes": "0",
        "nodaemon": "true",
        "silent": "true",
        "pidfile": _escaped(run_folder(settings) / "supervisord.pid"),
    }
    configuration["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for process in processes:
        configuration[f"program:{process.name}"] = {
            "command": _escaped(shlex.join(guarded(process, settings))),
            "directory": _escaped(CHECKOUT),
            "autostart": "false",
            "autorestart": "true",
            "startsecs": str(process.start_seconds),
            "startretries": str(process.retries),
            "stopsignal": process.stop_signal,
            "stopwaitsecs": str(process.stop_seconds),
            # the signal to stop goes to the process, which ends its own; what is left after that is killed as a group
            "killasgroup": "true",
            "stopasgroup": "false",
            "redirect_stderr": "true",
            "stdout_logfile": _escaped(log_file(settings, process.name)),
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "2",
        }
    return configuration


def _escaped(value: object) -> str:
    """supervisord expands `%(name)s`, so a per cent sign of ours is written twice."""
    return str(value).replace("%", "%%")
