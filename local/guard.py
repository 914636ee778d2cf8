"""Becomes another program, such that it cannot be left behind: `python -m local.guard [options] -- COMMAND...`.

It waits as long as the disk is full, kills what its predecessor left, writes a pid file, forgets the secrets of others,
gives up root where it is told to, asks the kernel (on Linux) for a signal when its parent dies, and then executes the
command in its place, with the same pid.
"""

import argparse
import ctypes
import os
import pwd
import shutil
import signal
import sys
from collections.abc import Collection
from pathlib import Path

import psutil
from tenacity import retry, retry_if_result, wait_fixed

PR_SET_PDEATHSIG = 1
OWNER_ALONE = 0o077
"""What the processes write nobody else may read."""

ROOM_MB = 64
"""With less free on the disk nothing is started: it would end at once, and be given up before anybody has made room."""

LOOK_S = 1.0


def await_room(folder: Path) -> None:
    """Return once there is room on the disk of a folder."""
    if is_full(folder):
        sys.stderr.write(f"the disk of {folder} is full: waiting for {ROOM_MB} MB\n")
        retry(retry=retry_if_result(bool), wait=wait_fixed(LOOK_S))(is_full)(folder)


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder has too little room to start anything."""
    return shutil.disk_usage(folder).free < ROOM_MB * 1_000_000


def write_pid_file(path: Path) -> None:
    """Note this process' pid and start time; together they name it for ever."""
    path.write_text(f"{os.getpid()} {psutil.Process().create_time()}\n")


def end_group(pid_file: Path) -> bool:
    """Kill what is left of the process group that a pid file names, its leader or only its children.

    Returns whether anything was left. A group of another process that has come to the same number is not touched.
    """
    try:
        pid, started = pid_file.read_text().split()
        left = [process for process in psutil.process_iter() if _is_of_group(process, int(pid), float(started))]
    except (FileNotFoundError, ValueError):
        return False
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=10)
    return bool(left)


def _is_of_group(process: psutil.Process, group: int, started: float) -> bool:
    try:
        if process.pid == os.getpid() or os.getpgid(process.pid) != group:
            return False
        leader_is_another = process.pid == group and abs(process.create_time() - started) > 1
        return not leader_is_another and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
        return False


def process_of(pid_file: Path) -> psutil.Process | None:
    """The process that a pid file names, if it still runs."""
    try:
        pid, started = pid_file.read_text().split()
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(started)) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def forget(names: Collection[str]) -> None:
    """Take variables out of the environment, however they are spelled: settings are read in any case."""
    for name in [name for name in os.environ if name.upper() in names]:
        del os.environ[name]


def become(user: str) -> None:
    """Give up root for this system user."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def die_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this signal when the parent is gone. Linux only; elsewhere pid files serve."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def main() -> None:
    """Parse, prepare, exec."""
    parser = argparse.ArgumentParser(prog="python -m local.guard", description=__doc__)
    parser.add_argument("--pid-file", type=Path, required=True)
    parser.add_argument("--user", help="system user to become")
    parser.add_argument("--folder", type=Path, help="working directory")
    parser.add_argument("--nice", type=int, default=0, help="added to the niceness, so that others go first")
    parser.add_argument("--death-signal", help="signal when the parent dies, such as TERM")
    parser.add_argument("--without", default="", help="environment variables that the command does not get, by commas")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="environment variable")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.death_signal:
        die_with_parent(signal.Signals[f"SIG{options.death_signal}"])
    await_room(options.pid_file.parent)
    end_group(options.pid_file)
    write_pid_file(options.pid_file)
    forget(options.without.split(","))
    os.environ.update(pair.split("=", 1) for pair in options.set)
    os.nice(options.nice)
    os.umask(OWNER_ALONE)
    if options.folder:
        os.chdir(options.folder)
    if options.user:
        become(options.user)
    if options.death_signal:
        # again: the change of user cleared it
        die_with_parent(signal.Signals[f"SIG{options.death_signal}"])
    os.execvp(options.command[0], options.command)


if __name__ == "__main__":
    main()
