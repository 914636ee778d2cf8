"""Who may enter Airflow, and where: of the embedded one, and of the one whose runs the API shows."""

import json
import re
from pathlib import Path
from typing import Final

from freshet.errors import ConfigError
from freshet.settings import Settings

USER: Final = "admin"
"""The only user of the Airflow that is configured here."""


def embedded(settings: Settings) -> bool:
    """Whether the embedded stack has one of its own: not where the settings name another."""
    return settings.airflow and not settings.airflow_url


def url(settings: Settings) -> str:
    """Address at which processes reach it, embedded or not, without a user in it."""
    given = re.sub(r"//[^/@]*@", "//", settings.airflow_url.rstrip("/"))
    return given or f"http://127.0.0.1:{settings.airflow_port}"


def shown_url(settings: Settings) -> str | None:
    """Address of the Airflow whose runs are shown; None where there is none."""
    return url(settings) if settings.airflow or settings.airflow_url else None


def page_url(settings: Settings) -> str:
    """Address at which people reach its pages."""
    return settings.airflow_public_url.rstrip("/") or url(settings)


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
    return f"{page_url(settings)}, user {USER}, password in {passwords_file(settings)}"
