"""`freshet api-key`: a key for the API, shown once. `freshet rotate-password`: another for the embedded Postgres."""

import typer

from freshet import keys
from freshet.errors import ConfigError
from freshet.settings import PREFIX
from local import postgres, running
from local.cli import console
from local.stack import uses_store
from local.supervisor import Supervisor


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("api-key")(api_key)
    app.command("rotate-password")(rotate_password)


def api_key(name: str) -> None:
    """Make a key: the key goes to standard output and nowhere else, and how to have the API accept it beside it."""
    key = keys.make()
    entry = keys.Entry(name, keys.digest(key))
    if keys.read(str(entry)) is None:
        raise ConfigError("a key's name has letters, digits, '.', '_' and '-', at most 64")
    console.say(f"the API accepts it with this entry in {PREFIX}API_KEYS (several with commas), at its next start:")
    console.say(f"  {entry}")
    console.say(
        f"the command shows it with {PREFIX}API_KEY, any other client with 'Authorization: Bearer KEY'; the key:"
    )
    console.out.print(key, markup=False, soft_wrap=True)


def rotate_password() -> None:
    """Give the embedded Postgres another password, and start anew what had the old one. Nothing of the stream stops."""
    from local.backup import engines

    settings = running.running_settings()
    with engines.running(settings):
        postgres.rotate_password(settings)
    console.say(f"the new password is in {settings.postgres_password_file}")
    control = Supervisor(settings)
    if control.is_up():
        users = [name for name, state in control.states().items() if state.pid and uses_store(name)]
        for name in users:
            control.stop(name)
            control.start(name)
        console.say(f"started anew: {', '.join(users)}")
