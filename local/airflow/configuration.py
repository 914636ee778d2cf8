"""Airflow's configuration, made of ours: everything by environment variables, so that no file of its own goes stale."""

import json
import secrets
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL

from freshet import airflow_access as access
from freshet.lineage import NAMESPACE, TIMEOUT_S
from freshet.settings import CHECKOUT, Settings
from freshet.spark import CORES

DATABASE: Final = "airflow"
DAGS: Final = CHECKOUT / "dags"

PARALLELISM: Final = 3
"""Tasks at once: a long one, and room for the checks that come every few minutes."""

PARSED_EVERY_S: Final = 120
"""How often a DAG file is read again although it has not changed."""


def home(settings: Settings) -> Path:
    """Folder of Airflow's logs and of what it writes by itself."""
    return settings.state_dir / "airflow"


def environment(settings: Settings) -> dict[str, str]:
    """The variables of every Airflow process. Makes the folders and secrets that are not there yet."""
    home(settings).mkdir(parents=True, exist_ok=True)
    options: dict[str, dict[str, Any]] = {
        "core": {
            "dags_folder": DAGS,
            "load_examples": False,
            "executor": "LocalExecutor",
            "parallelism": PARALLELISM,
            # a task is a copy of what is loaded already; elsewhere than on Linux that is not safe
            "mp_start_method": "fork" if sys.platform == "linux" else "spawn",
            "execution_api_server_url": f"{access.url(settings)}/execution/",
            "simple_auth_manager_users": f"{access.USER}:admin",
            "simple_auth_manager_passwords_file": access.passwords_file(settings),
            "fernet_key": _secret(settings, "airflow-fernet-key"),
        },
        "database": {
            "sql_alchemy_conn": database_url(settings),
            # else it asks for another driver
            "sql_alchemy_conn_async": database_url(settings),
            "sql_alchemy_pool_size": 3,
        },
        "api": {
            "host": settings.listen_host,
            "port": settings.airflow_port,
            "base_url": access.page_url(settings),
            "workers": 1,
            "secret_key": _secret(settings, "airflow-secret-key"),
        },
        "api_auth": {"jwt_secret": _secret(settings, "airflow-jwt-secret")},
        "scheduler": {"scheduler_idle_sleep_time": 2, "max_tis_per_query": 0},
        "dag_processor": {
            "parsing_processes": 1,
            "min_file_process_interval": PARSED_EVERY_S,
            "refresh_interval": PARSED_EVERY_S,
        },
        "logging": {"base_log_folder": home(settings) / "logs", "colored_console_log": False},
        "usage_data_collection": {"enabled": False},
        "openlineage": _lineage(settings.openlineage_url),
    }
    _passwords(settings)
    return {
        "AIRFLOW_HOME": str(home(settings)),
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps(spark_connection(settings)),
        **{f"AIRFLOW__{part.upper()}__{name.upper()}": str(value) for part, name, value in _flat(options)},
    }


def database_url(settings: Settings) -> str:
    """Where Airflow keeps its state: a database of its own in the store's server."""
    known = conninfo_to_dict(settings.conninfo)
    address = URL.create(
        "postgresql+psycopg",
        username=_text(known.pop("user", None)),
        password=_text(known.pop("password", None)),
        host=_text(known.pop("host", None)),
        port=int(known.pop("port", None) or 5432),
        database=DATABASE,
        query={name: str(value) for name, value in known.items() if name != "dbname" and value is not None},
    )
    return address.render_as_string(hide_password=False)


def spark_connection(settings: Settings) -> dict[str, Any]:
    """The connection `spark_default`, by which tasks submit jobs."""
    extra = {"spark-binary": "spark-submit", "deploy-mode": "client"}
    master = settings.spark_master or f"local[{CORES}]"
    return {"conn_type": "spark", "host": master, "extra": extra}


def _lineage(url: str) -> dict[str, Any]:
    if not url:
        # whatever else the environment says
        return {"disabled": True}
    return {
        "disabled": False,
        "namespace": NAMESPACE,
        "transport": json.dumps({"type": "http", "url": url, "timeout": TIMEOUT_S, "retry": {"total": 0}}),
        # the events of a submitted job name the task that submitted it
        "spark_inject_parent_job_info": True,
    }


def _flat(options: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, Any]]:
    return [(part, name, value) for part, values in options.items() for name, value in values.items()]


def _passwords(settings: Settings) -> None:
    """The password of the settings, else one that is made once."""
    file = access.passwords_file(settings)
    known = json.loads(file.read_text()) if file.exists() else {}
    given = settings.airflow_password.get_secret_value()
    if given and known.get(access.USER) != given:
        _own(file, json.dumps({**known, access.USER: given})).rename(file)
    elif not known:
        _write(file, json.dumps({access.USER: secrets.token_urlsafe(12)}))


def _secret(settings: Settings, name: str) -> str:
    file = settings.state_dir / "secrets" / name
    if not file.exists():
        _write(file, urlsafe_b64encode(secrets.token_bytes(32)).decode())
    return file.read_text()


def _write(file: Path, content: str) -> None:
    """Several processes start at once: the first one's secret is everybody's."""
    own = _own(file, content)
    try:
        file.hardlink_to(own)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def _own(file: Path, content: str) -> Path:
    """A file beside it that nobody else writes."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    own.touch(mode=0o600)
    own.write_text(content)
    return own


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
