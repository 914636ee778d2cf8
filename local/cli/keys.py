"""`freshet api-key`: a key for the API, shown once."""

import typer

from freshet import keys
from freshet.errors import ConfigError
from freshet.settings import PREFIX
from local.cli import console


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("api-key")(api_key)


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
