"""`freshet init`: what compose.yaml needs before its first start."""

from typing import Annotated

import typer

from freshet.errors import ConfigError
from freshet.settings import CHECKOUT
from local import deployment
from local.cli import console

NEXT = """\
next:
  docker compose up --detach --build     build the images and start everything
  docker compose ps                      who is up, and well
the pages: http://127.0.0.1:18086/  the API: http://127.0.0.1:18080/docs
Airflow: http://127.0.0.1:18088/  user admin, password in {place}/freshet_airflow_password
Grafana: http://127.0.0.1:18089/  user admin, password in {place}/grafana_admin_password
a key for a model that writes answers goes into {place}/freshet_openai_api_key"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)


def init(
    simulated: Annotated[bool, typer.Option("--simulated", help="Simulated edits instead of the live stream.")] = False,
    without: Annotated[list[deployment.Part] | None, typer.Option(help="A part to leave out.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there, with new secrets.")] = False,
) -> None:
    """Generate the secrets of compose.yaml, and write .env."""
    try:
        place = deployment.initialise(CHECKOUT, simulated=simulated, without=without or (), force=force)
    except FileExistsError as error:
        raise ConfigError(str(error)) from error
    console.say(f"made {place} and {CHECKOUT / deployment.ENV}")
    console.say(NEXT.format(place=place))
