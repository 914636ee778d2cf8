"""How to see that a process works. Every check answers within about a second and never raises."""

import socket
from collections.abc import Callable

import httpx
import psycopg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from local.process import Readiness

TIMEOUT_S = 1.0


def http(port: int, path: str = "/readyz") -> Readiness:
    """The process answers 200 on this path."""

    def check() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_S, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    return check


def airflow(port: int, part: str) -> Readiness:
    """Airflow's API server answers, and reports this part of Airflow healthy."""

    def check() -> bool:
        url = f"http://127.0.0.1:{port}/api/v2/monitor/health"
        try:
            report = httpx.get(url, timeout=TIMEOUT_S, trust_env=False).raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            return False
        return bool(report[part]["status"] == "healthy")

    return check


def kafka(bootstrap_servers: str) -> Readiness:
    """The broker answers a metadata request."""

    def check() -> bool:
        if not listens(bootstrap_servers.split(",", maxsplit=1)[0]):
            return False
        try:
            AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0}).list_topics(timeout=TIMEOUT_S)
        except KafkaException:
            return False
        return True

    return check


def postgres(conninfo: Callable[[], str]) -> Readiness:
    """The server accepts a login and answers a query."""

    def check() -> bool:
        try:
            with psycopg.connect(conninfo(), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    return check


def listens(address: str) -> bool:
    """Something accepts connections on `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=TIMEOUT_S).close()
    except OSError:
        return False
    return True
