"""In a container: settings out of secret files, addresses that others reach, and a probe that tells well from not."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from freshet import airflow_access as access
from freshet import probe
from freshet.settings import load_settings
from freshet.telemetry import metrics
from freshet.telemetry.serve import serve_metrics
from local import stack
from local.airflow import configuration

HEALTH = {"scheduler": {"status": "healthy"}, "dag_processor": {"status": "unhealthy"}, "triggerer": None}
AIRFLOW = "http://airflow-api-server:18088"


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/readyz": 200, "/health": 200}.get(self.path, 503))
            self.end_headers()
            self.wfile.write(json.dumps(HEALTH).encode() if self.path == "/health" else b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def test_a_secret_is_read_from_its_file_and_the_environment_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, secret in {"freshet_postgres_dsn": "host=there\n", "freshet_openai_api_key": "hunter2"}.items():
        (tmp_path / name).write_text(secret)
    settings = load_settings(_secrets_dir=tmp_path)
    assert settings.conninfo == "host=there"
    assert settings.openai_api_key.get_secret_value() == "hunter2"
    monkeypatch.setenv("FRESHET_POSTGRES_DSN", "host=elsewhere")
    assert load_settings(_secrets_dir=tmp_path).conninfo == "host=elsewhere"


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    (tmp_path / "freshet_openai_api_key").write_text("")
    assert not load_settings(_secrets_dir=tmp_path).has_model


@pytest.mark.parametrize(
    ("path", "well"),
    [
        (["/readyz"], True),
        (["/away"], False),
        (["/health", "scheduler"], True),
        (["/health", "dag_processor"], False),
        (["/health", "triggerer"], False),
        (["/health", "nobody"], False),
        (["/readyz", "scheduler"], False),
    ],
)
def test_a_probe_tells_well_from_not(server: str, path: list[str], well: bool) -> None:
    assert probe.is_well(server + path[0], *path[1:]) is well


def test_a_probe_ends_with_what_it_found_whatever_proxy_is_set(server: str) -> None:
    plain = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(probe.__file__).parent.parent), "http_proxy": "http://h:1"}
    codes = [
        subprocess.run([sys.executable, "-m", "freshet.probe", server + path], env=plain, check=False).returncode
        for path in ("/readyz", "/away")
    ]
    assert codes == [0, 1]


def test_nobody_there_is_not_well() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not probe.is_well(f"http://127.0.0.1:{unused.getsockname()[1]}/readyz")


def test_metrics_are_served_where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    # it would take the metrics of the other rooms from this process
    monkeypatch.setattr(metrics, "only", lambda room: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve_metrics("127.0.0.2", port, "producer")
    assert httpx.get(f"http://127.0.0.2:{port}/healthz", trust_env=False).is_success
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)


def test_airflow_elsewhere_is_asked_there_and_the_stack_has_none(tmp_path: Path) -> None:
    settings = load_settings(
        state_dir=tmp_path,
        postgres_dsn=SecretStr("postgresql://freshet:x@postgres/freshet"),
        kafka_bootstrap_servers="redpanda:9092",
        airflow_url=AIRFLOW,
        airflow_public_url="https://airflow.example.org/",
        airflow_password=SecretStr("given"),
        listen_host="0.0.0.0",
        spark_master="spark://spark-master:7077",
    )
    assert not [process for process in stack.declare(settings) if process.name.startswith("airflow")]
    made = configuration.environment(settings)
    assert made["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"{AIRFLOW}/execution/"
    assert made["AIRFLOW__API__BASE_URL"] == "https://airflow.example.org"
    assert made["AIRFLOW__API__HOST"] == "0.0.0.0"
    assert json.loads(made["AIRFLOW_CONN_SPARK_DEFAULT"])["host"] == "spark://spark-master:7077"
    assert access.password(settings) == "given"


def test_another_password_replaces_the_one_that_airflow_has(tmp_path: Path) -> None:
    settings = load_settings(state_dir=tmp_path, postgres_dsn=SecretStr("host=there"))
    configuration.environment(settings)
    generated = access.password(settings)
    # as Airflow writes it
    file = access.passwords_file(settings)
    file.write_text(file.read_text() + "\n")
    configuration.environment(settings)
    assert access.password(settings) == generated
    configuration.environment(settings.model_copy(update={"airflow_password": SecretStr("another")}))
    assert access.password(settings) == "another"
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".")] == []
