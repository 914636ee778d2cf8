"""Ports: which are free, and who holds one that is not."""

import socket
from collections.abc import Iterable

import psutil

from freshet.errors import ConfigError
from freshet.settings import PREFIX
from local.process import Process


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_free(count: int) -> list[int]:
    """Distinct ports that are free now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def check(processes: Iterable[Process]) -> None:
    """Raise ConfigError that names every taken port, its holder, and the setting that moves it."""
    taken = [
        f"port {port} of {process.name} is taken{_holder(port)}: set {PREFIX}{setting} to a free port"
        for process in processes
        for setting, port in process.ports.items()
        if not is_free(port)
    ]
    if taken:
        raise ConfigError("\n".join(taken))


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
            name = psutil.Process(connection.pid).name() if connection.pid else "another user's process"
            return f" by {name} (pid {connection.pid})" if connection.pid else f" by {name}"
    return ""
