"""Airflow in containers: a process prepares it and ends, then it is asked at an address and with a password given."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from freshet import airflow_client, probe
from freshet.environment import environment_of
from freshet.settings import CHECKOUT, Settings
from local.airflow import configuration
from tests.conftest import free_settings

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(tmp_path: Path, postgres: str) -> Settings:
    settings = free_settings(tmp_path, postgres_dsn=SecretStr(postgres), airflow_password=SecretStr("given"))
    return settings.model_copy(update={"airflow": False, "airflow_url": f"http://localhost:{settings.airflow_port}"})


def component(settings: Settings, name: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **environment_of(settings)}
    return subprocess.Popen([sys.executable, "-m", "local.airflow", name], cwd=CHECKOUT, env=environment)


@retry(retry=retry_if_result(lambda well: not well), wait=wait_fixed(1), stop=stop_after_delay(180))
def until_well(url: str, part: str) -> bool:
    return probe.is_well(url, part)


def test_init_ends_when_the_database_is_ready_and_the_api_server_knows_the_password(
    settings: Settings, postgres: str
) -> None:
    try:
        for _ in range(2):
            assert component(settings, "init").wait(300) == 0
        server = component(settings, "api-server")
        try:
            assert until_well(f"{settings.airflow_url}/api/v2/monitor/health", "metadatabase")
            assert not probe.is_well(f"{settings.airflow_url}/api/v2/monitor/health", "scheduler")
            with airflow_client.connect(settings) as airflow:
                assert airflow.health()["metadatabase"]["status"] == "healthy"
        finally:
            server.terminate()
            server.wait(60)
    finally:
        with psycopg.connect(postgres, autocommit=True) as store:
            store.execute(f"DROP DATABASE IF EXISTS {configuration.DATABASE} WITH (FORCE)")
