"""Which process has which secret in its environment. The environment of every other is without it."""

from collections.abc import Iterable
from typing import Final

from pydantic import SecretStr

from freshet.settings import PREFIX, Settings

SUPERVISOR: Final = "supervisor"
STORE: Final = ("POSTGRES_DSN",)
LAKE: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
MODEL: Final = ("OPENAI_API_KEY",)

_BY_NAME: Final = {
    "api": (*STORE, *LAKE, *MODEL, "AIRFLOW_PASSWORD"),
    "context": STORE,
    "exporter": (*STORE, *LAKE, "AIRFLOW_PASSWORD"),
    "indexer": STORE,
    "lake": LAKE,
    "serve": LAKE,
    "ui": ("API_KEY",),
}
_BY_BEGINNING: Final = {
    "airflow-": (*STORE, *LAKE, "AIRFLOW_PASSWORD", "ALERT_WEBHOOK_URL"),
    "api-": _BY_NAME["api"],
    "indexer-": STORE,
    "spark-worker-": LAKE,
}


def given(name: str) -> tuple[str, ...]:
    """The secrets of a process: settings, and what object storage's libraries read. The supervisor passes on all."""
    if name == SUPERVISOR:
        return known()
    others = (secrets for beginning, secrets in _BY_BEGINNING.items() if name.startswith(beginning))
    return _BY_NAME.get(name) or next(others, ())


def known() -> tuple[str, ...]:
    """All secrets that an environment may have."""
    settings = [name.upper() for name, field in Settings.model_fields.items() if isinstance(field.default, SecretStr)]
    return (*settings, *LAKE)


def withheld(name: str) -> list[str]:
    """Environment variables that a process is started without."""
    kept = _variables(given(name))
    return sorted(set(_variables(known())) - set(kept))


def _variables(secrets: Iterable[str]) -> list[str]:
    """Settings by the names that `freshet.settings` reads, others by their own."""
    named = list(secrets)
    return [PREFIX + one for one in named if one not in LAKE] + [one for one in named if one in (*LAKE, *MODEL)]
