"""Who may enter, and where: kept apart from the configuration, which needs Airflow's own packages."""

import json
from pathlib import Path
from typing import Final

from freshet.errors import ConfigError
from freshet.settings import Settings

USER: Final = "admin"


def url(settings: Settings) -> str:
    """Address of Airflow's pages and of its REST interface."""
    return f"http://127.0.0.1:{settings.airflow_port}"


def passwords_file(settings: Settings) -> Path:
    """JSON of user and password, as Airflow's simple auth manager reads it."""
    return settings.state_dir / "secrets" / "airflow-passwords.json"


def password(settings: Settings) -> str:
    """The generated password. Raises ConfigError when no Airflow was ever started here."""
    try:
        return str(json.loads(passwords_file(settings).read_text())[USER])
    except FileNotFoundError as error:
        raise ConfigError(f"no Airflow under {settings.state_dir}: start it with `freshet up`") from error


def sentence(settings: Settings) -> str:
    """How a person enters."""
    return f"{url(settings)}, user {USER}, password in {passwords_file(settings)}"
