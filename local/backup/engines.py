"""The broker and the Postgres that the settings ask of this machine, running without any room."""

from collections.abc import Iterator
from contextlib import contextmanager

from freshet.errors import PermanentError
from freshet.settings import Settings
from local import launch, stack
from local.supervisor import Supervisor


def asked(settings: Settings) -> list[str]:
    """Which engines are of this machine."""
    places = {"kafka": settings.kafka_bootstrap_servers, "postgres": settings.postgres_dsn.get_secret_value()}
    return [name for name in stack.ENGINES if not places[name]]


def are_new(settings: Settings) -> bool:
    """Whether both are of this machine and were never started, so that nothing can be in them."""
    started = (settings.state_dir / "kafka" / "data", settings.postgres_password_file)
    return len(asked(settings)) == len(stack.ENGINES) and not any(path.exists() for path in started)


def refuse_when_up(settings: Settings) -> None:
    """Raise PermanentError when anything of the stack runs."""
    if Supervisor(settings).is_up():
        raise PermanentError(f"a stack runs in {settings.state_dir}: end it with `freshet down` first")


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """The engines until the block ends, or as they are in a stack that runs. Topics and schema are left as they are."""
    if not asked(settings) or Supervisor(settings).is_up():
        yield
        return
    launch.up(settings, detach=False, report=lambda _: None, only=asked(settings), prepared=True)
    try:
        yield
    finally:
        launch.down(settings)
