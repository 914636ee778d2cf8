"""Who may enter Airflow, and where: of the embedded one, and of the one whose runs the API shows."""

import json
import re
from pathlib import Path
from typing import Final

from freshet.errors import ConfigError
from freshet.settings import Settings

USER: Final = "admin"
"""The embedded one's only user."""


def url(settings: Settings) -> str:
    """Address of the embedded one's pages and of its REST interface."""
    return f"http://127.0.0.1:{settings.airflow_port}"


def shown_url(settings: Settings) -> str | None:
    """Address of the Airflow whose runs are shown, without a user in it; None where there is none."""
    given = re.sub(r"//[^/@]*@", "//", settings.airflow_url.rstrip("/"))
    return given or (url(settings) if settings.airflow else None)


def shown_password(settings: Settings) -> str:
    """The password of `airflow_user` there. Raises ConfigError when there is none."""
    return settings.airflow_password.get_secret_value() or password(settings, settings.airflow_user)


def passwords_file(settings: Settings) -> Path:
    """JSON of user and password, as Airflow's simple auth manager reads it."""
    return settings.state_dir / "secrets" / "airflow-passwords.json"


def password(settings: Settings, user: str = USER) -> str:
    """The generated password. Raises ConfigError when no Airflow was ever started here, or it knows no such user."""
    try:
        return str(json.loads(passwords_file(settings).read_text())[user])
    except FileNotFoundError as error:
        raise ConfigError(f"no Airflow under {settings.state_dir}: start it with `freshet up`") from error
    except KeyError as error:
        raise ConfigError(f"no password was generated for {user}") from error


def sentence(settings: Settings) -> str:
    """How a person enters."""
    return f"{url(settings)}, user {USER}, password in {passwords_file(settings)}"
