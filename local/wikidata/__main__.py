"""`python -m local.wikidata`: serves until SIGTERM; exits 2 when a setting is wrong."""

import signal
import sys
from typing import Annotated

import typer
import uvicorn
from starlette.middleware.gzip import GZipMiddleware

from freshet.context_source import PATH
from freshet.errors import ConfigError
from freshet.settings import load_settings
from freshet.telemetry import logs
from local.wikidata.app import Wikidata
from local.wikidata.faults import Fault
from local.wikidata.items import knowledge


def main(
    delay: Annotated[float, typer.Option(min=0, help="how long an answer takes, s")] = 0.0,
    fault: Annotated[Fault, typer.Option(help="what goes wrong, until /-/fault?fault= says another")] = Fault.NONE,
    retry_after: Annotated[str, typer.Option(help="what it says when it refuses: seconds, a date, or nothing")] = "1",
) -> None:
    """Answer wbgetentities from the descriptions that the settings name."""
    try:
        settings = load_settings()
        known = knowledge(settings)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    log = logs.configure("wikidata", settings.log_level)
    log.info("serve", port=settings.wikidata_port, path=PATH, pages=len(known.items), origin=known.origin)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after its own orderly end; without this that would look like a crash.
        signal.signal(number, signal.SIG_IGN)
    uvicorn.run(
        GZipMiddleware(Wikidata(known, delay, fault, retry_after)),
        host=settings.listen_host,
        port=settings.wikidata_port,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    typer.run(main)
