"""What is known of a stack that was started: its settings as they were then, and what it may have left behind."""

import json

from pydantic import SecretStr

from freshet.environment import as_text
from freshet.settings import Settings, load_settings
from local import guard
from local.supervision import run_folder

FILE = "stack.json"


def remember(settings: Settings) -> None:
    """Keep the settings of the stack that is being started, without what is secret."""
    plain = {name: as_text(getattr(settings, name)) for name in Settings.model_fields if not _is_secret(settings, name)}
    (run_folder(settings) / FILE).write_text(json.dumps(plain, indent=1))


def running_settings() -> Settings:
    """The settings of the stack that was last started in the state folder; else those of the environment."""
    settings = load_settings()
    try:
        kept = json.loads((settings.state_dir / "run" / FILE).read_text())
    except FileNotFoundError:
        return settings
    return load_settings(**{name: value for name, value in kept.items() if value})


def forget(settings: Settings) -> None:
    """The stack has ended."""
    (run_folder(settings) / FILE).unlink(missing_ok=True)


def end_leftovers(settings: Settings) -> list[str]:
    """Kill what a supervisor or a process that died left running, by the pid files. Returns the names."""
    ended = []
    for pid_file in sorted(run_folder(settings).glob("*.pid")):
        if pid_file.name != "supervisord.pid" and guard.end_group(pid_file):
            ended.append(pid_file.stem)
        pid_file.unlink(missing_ok=True)
    return ended


def _is_secret(settings: Settings, name: str) -> bool:
    return isinstance(getattr(settings, name), SecretStr)
