"""What real processes write: JSON alone, without secrets and without questions."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from freshet.settings import CHECKOUT, PREFIX
from local import ports
from local.readiness import http
from tests.api_serving import process

pytestmark = pytest.mark.integration

SECRET = "hush-hush"
SETTINGS = {
    "postgres_dsn": f"postgresql://freshet:{SECRET}@127.0.0.1:1/nothing?connect_timeout=1",
    "openai_api_key": SECRET,
    "api_key": SECRET,
    "alert_webhook_url": f"https://hooks.example/{SECRET}",
    "alertmanager_webhook_url": f"https://hooks.example/{SECRET}",
    "airflow_password": SECRET,
}


def lines(file: Path) -> list[dict[str, Any]]:
    written = file.read_text()
    assert SECRET not in written
    assert "snail" not in written
    return [json.loads(line) for line in written.splitlines()]


def test_the_api_logs_a_question_s_request_but_neither_the_question_nor_a_secret(tmp_path):
    with process(tmp_path, **SETTINGS) as (child, address):
        answer = httpx.post(
            f"{address}/v1/ask",
            json={"question": "What is changing about sea snails?"},
            headers={"X-Request-ID": "mine", "Authorization": f"Bearer {SECRET}"},
            timeout=30,
        )
        child.terminate()
        assert child.wait(30) == 0
    written = lines(tmp_path / "api.log")
    (line,) = [line for line in written if line["event"] == "request"]
    assert (line["request_id"], line["route"], line["status"]) == ("mine", "/v1/ask", answer.status_code)
    assert [line["request_id"] for line in written if line["event"] == "Postgres does not answer"] == ["mine"]
    # uvicorn's own
    assert "Application startup complete." in [line["event"] for line in written]


def test_the_pages_process_writes_json_alone(tmp_path):
    (port,) = ports.find_free(1)
    given = {**SETTINGS, "state_dir": tmp_path, "ui_port": port, "ui_api_url": "http://127.0.0.1:1"}
    environment = {**os.environ, **{f"{PREFIX}{name.upper()}": str(value) for name, value in given.items()}}
    with (tmp_path / "ui.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "ui"], cwd=CHECKOUT, env=environment, stdout=log, stderr=log)
    try:
        ready = http(port, "/healthz")
        while not ready():
            assert child.poll() is None
        assert httpx.get(f"http://127.0.0.1:{port}/", params={"q": "sea snails"}).status_code == 200
        child.terminate()
        assert child.wait(30) == 0
    finally:
        child.kill()
    assert "the feed is away" in [line["event"] for line in lines(tmp_path / "ui.log")]


def test_a_wrong_password_is_told_of_and_in_no_log(settings, postgres, tmp_path):
    wrong = make_conninfo(postgres, password=SECRET)
    given = {**SETTINGS, "postgres_dsn": wrong, "kafka_bootstrap_servers": settings.bootstrap_servers}
    environment = {**os.environ, **{f"{PREFIX}{name.upper()}": str(value) for name, value in given.items()}}
    for module in ("freshet.prepare", "freshet.upkeep.postgres"):
        done = subprocess.run(
            [sys.executable, "-m", module], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "password authentication failed" in done.stderr
        assert SECRET not in done.stdout + done.stderr
