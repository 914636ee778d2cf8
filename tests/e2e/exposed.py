"""What a running stack shows to others on its machine: sockets, arguments, environments, files, error pages."""

import ipaddress
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from local import guard, supervisor
from local.supervision import run_folder
from local.trees import told
from tests.stacks import Stack


def processes(stack: Stack) -> dict[str, list[psutil.Process]]:
    """Every process of the stack with its children, by its name."""
    found = {file.stem: guard.process_of(file) for file in run_folder(stack.settings).glob("*.pid")}
    return {
        name: [process, *process.children(recursive=True)]
        for name, process in found.items()
        if process and name not in (supervisor.NAME, "supervisord")
    }


def open_beyond(of: list[psutil.Process]) -> tuple[int, list[str]]:
    """How many sockets wait for others, and which of them are reached from other machines."""
    sockets = [
        connection.laddr
        for connections in told(of, lambda process: process.net_connections("inet"))
        for connection in connections
        if connection.laddr and not connection.raddr and connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    ]
    return len(sockets), [str(one) for one in sockets if not _is_loopback(one.ip)]


def secrets(stack: Stack) -> set[str]:
    """What was generated for this stack, and the key that it was given."""
    files = {file.name: file.read_text().strip() for file in (stack.settings.state_dir / "secrets").iterdir()}
    passwords = json.loads(files.pop("airflow-passwords.json")).values()
    return {*files.values(), *passwords, stack.settings.openai_api_key.get_secret_value()}


def command_lines() -> str:
    """Those of the whole machine."""
    return "\n".join(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))


def who_has(stack: Stack, values: set[str]) -> set[str]:
    """Names of the processes with any of these in their environment."""
    return {
        name
        for name, (leader, *_) in processes(stack).items()
        if any(value in held for held in leader.environ().values() for value in values)
    }


def files_with(stack: Stack, values: set[str]) -> set[Path]:
    """Files of the state folder, the lake and the log apart, in which any of these stands."""
    folder = stack.settings.state_dir
    searched = [file for file in folder.rglob("*") if file.is_file() and not _is_data(file.relative_to(folder))]
    return {file for file in searched if any(value.encode() in file.read_bytes() for value in values)}


def mode(path: Path) -> int:
    """Who may do what with it."""
    return stat.S_IMODE(path.stat().st_mode)


def error_pages(stack: Stack) -> Iterator[str]:
    """What the servers say to a question that is wrong."""
    settings = stack.settings
    wrong = [
        (settings.api_port, "/v1/nowhere"), (settings.api_port, "/v1/documents/nothing/trace"),
        (settings.api_port, "/v1/search"), (settings.ui_port, "/nowhere"), (settings.ui_port, "/trace/nothing"),
        (settings.airflow_port, "/api/v2/dags"), (settings.airflow_port, "/execution/nowhere"),
    ]  # fmt: skip
    for port, path in wrong:
        response = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=30)
        assert response.is_client_error, (path, response.status_code)
        yield response.text + str(response.headers)


def _is_data(file: Path) -> bool:
    return file.parts[0] in ("lake", "kafka", "postgres", "prometheus")


def _is_loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback
