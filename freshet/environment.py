"""Settings as environment variables, for the processes that one process starts."""

from pydantic import SecretStr

from freshet.settings import PREFIX, Settings


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as environment variables: every process that gets them sees the same ones."""
    return {f"{PREFIX}{name.upper()}": as_text(getattr(settings, name)) for name in Settings.model_fields}


def as_text(value: object) -> str:
    """A setting's value as one writes it in the environment."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value)
